/// The length of each input's column over all activations seen: all that Wanda needs to know of them.
///
/// The squares are summed in float64, token after token, so neither the threads nor the splitting of the
/// tokens into chunks changes a bit.
public struct InputNorms: Sendable, Equatable {
  /// The columns of the activations.
  public let inputs: Int
  /// How many rows of activations have been added.
  public private(set) var tokens = 0
  private var sums: [Double]

  /// Norms of no tokens yet: all zero.
  public init(inputs: Int) {
    self.inputs = inputs
    sums = [Double](repeating: 0, count: inputs)
  }

  /// Adds activations, tokens × inputs.
  public mutating func add(_ x: Matrix, on compute: Compute = .automatic) {
    precondition(x.columns == inputs, "InputNorms: \(x.columns) columns, expected \(inputs)")
    let (rows, columns) = (x.rows, x.columns)
    tokens += rows
    sums.withUnsafeMutableBufferPointer { sums in
      x.values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let (from, to) = (values.start, sums.start)
        // Whole stretches of a row, at least a page of the activations.
        let size = max(1024, (columns + compute.threads - 1) / compute.threads)
        Parallel.forEachRange(of: columns, size: size, threads: compute.threads) {
          compute.kernels.sumSquares(
            rows: rows, columns: $0.count, from + $0.lowerBound, stride: columns,
            into: to + $0.lowerBound)
        }
      }
    }
  }

  /// ‖x_j‖₂² of each input.
  var sumsOfSquares: [Double] { sums }

  /// ‖x_j‖₂ of each input, rounded to float32.
  public var norms: [Float] { sums.map { Float($0.squareRoot()) } }
}

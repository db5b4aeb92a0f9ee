/// The sums of squares of a stage's inputs over whole sequences: the same bits whatever the order of the sequences, and wherever they are summed.
///
/// A sequence is the unit. Its own sums are taken by ``InputNorms``, token after token in float64, and added
/// up by ``ExactSums``.
package struct ExactSquares: Sendable {
  /// Σ x_j² over the sequences, one sum for each input.
  package private(set) var sums: ExactSums
  /// The largest sum of squares of a single sequence; NaN where one was NaN, and its sequence is left out.
  package private(set) var largest = 0.0

  /// Sums of no sequences yet.
  package init(inputs: Int) { sums = ExactSums(count: inputs) }

  /// Adds the activations of one sequence, tokens × inputs.
  package mutating func add(sequence x: Matrix, on compute: Compute) {
    var norms = InputNorms(inputs: sums.count)
    norms.add(x, on: compute)
    let squares = norms.sumsOfSquares
    largest = squares.reduce(largest, largerOrNaN)
    if largest < ExactSums.limit { sums.add(squares, on: compute) }
  }
}

/// The gram of a stage's inputs over whole sequences: the same bits whatever the order of the sequences, and wherever they are summed.
///
/// A sequence is the unit. Its own gram is ``Gram``'s, one float32 chain of its tokens in blocks of 4,096,
/// and those are added up by ``ExactSums``. The sum of squares of an input bounds every product with it,
/// so it is enough that the diagonal stays within ``ExactSums/limit``.
package struct ExactGram: Sendable {
  /// The columns of the activations.
  package let inputs: Int
  /// The largest sum of squares of a single sequence; NaN where one was NaN, and its sequence is left out.
  package private(set) var largest = 0.0
  private var sequence: Gram
  private var sums: ExactSums  // in the order of the gram's tiles

  /// A gram of no sequences yet.
  package init(inputs: Int) {
    self.inputs = inputs
    sequence = Gram(inputs: inputs)
    sums = ExactSums(count: TriangleTiles.offset(KernelSet.panels(for: inputs), 0))
  }

  /// Adds the activations of one sequence, tokens × inputs.
  package mutating func add(sequence x: Matrix, on compute: Compute) {
    sequence.add(x, on: compute)
    largest = sequence.sumsOfSquares.reduce(largest) { largerOrNaN($0, Double($1)) }
    let isInRange = largest < ExactSums.limit
    sequence.drain(on: compute) { terms in
      if isInRange { sums.add(terms, on: compute) }
    }
  }

  /// The sums on and left of the diagonal in some rows, row after row.
  package func triangle(rows: Range<Int>) -> (coarse: [Int64], fine: [Int64]) {
    (
      rows.flatMap { places(row: $0).map { sums.coarse[$0] } },
      rows.flatMap { places(row: $0).map { sums.fine[$0] } }
    )
  }

  /// The same as numbers, rounded to float32.
  package func roundedTriangle(rows: Range<Int>) -> [Float] {
    rows.flatMap { places(row: $0).map { Float(sums[$0]) } }
  }

  private func places(row: Int) -> [Int] {
    let tiles = TriangleTiles(panels: KernelSet.panels(for: inputs))
    return (0...row).map { tiles.index(row, $0) }
  }
}

extension Gram {
  /// The number of values on and left of the diagonal.
  package static func triangleCount(inputs: Int) -> Int { inputs * (inputs + 1) / 2 }

  /// The gram of activations that are no longer there, whose XᵀX is given.
  ///
  /// - Parameter triangle: the float32 values on and left of the diagonal, row after row, little endian.
  package init(inputs: Int, tokens: Int, triangle: ByteView) {
    precondition(
      triangle.count == 4 * Gram.triangleCount(inputs: inputs),
      "Gram: \(triangle.count) bytes for the triangle of \(inputs) inputs")
    let tiles = TriangleTiles(panels: KernelSet.panels(for: inputs))
    var sums = [Float](repeating: 0, count: TriangleTiles.offset(tiles.panels, 0))
    var place = 0
    for row in 0..<inputs {
      for column in 0...row {
        let bits = triangle.bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        sums[tiles.index(row, column)] = Float(bitPattern: UInt32(littleEndian: bits))
        place += 4
      }
    }
    self.init(inputs: inputs, tokens: tokens, finished: [], current: sums)
  }
}

/// The larger one of two numbers; NaN where either is.
private func largerOrNaN(_ a: Double, _ b: Double) -> Double { a.isNaN || a >= b ? a : b }

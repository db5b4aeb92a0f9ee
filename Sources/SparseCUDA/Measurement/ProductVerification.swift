public import SparseCore

/// Products on a GPU, held against those of the CPU.
public struct ProductVerification: Sendable, Equatable {
  /// The products that were compared.
  public let products: Int
  /// The largest error of a floating-point result, as a share of the bound that rounding allows.
  ///
  /// INT32 results have none.
  public let largestShareOfBound: Double
  /// Whether the library lays out what it compresses as ``CuSPARSELtBlob`` does, so that a compressed weight can be
  /// brought over as it is.
  public let isLayoutKnown: Bool

  /// The rows that are tried: few, and such as no tile divides.
  static let rows = [1, 7, 33, 130]

  /// Multiplies random matrices on the GPU and on the CPU, with INT8 and 16-bit weights.
  ///
  /// INT32 results of INT8 must be the same. Results of 16-bit formats may differ by the rounding of the sums, in float32 and
  /// with unknown order, and by that of the result: `K · 2⁻²³ · Σ|x·w| + u · |y|` with `K` products in a sum
  /// and the format's unit roundoff `u`; tensor cores cut off instead of rounding, hence 2⁻²³. The CPU's sums are exact
  /// here.
  ///
  /// - Throws: ``CUDAError/wrongProduct(_:row:column:result:expected:bound:)`` for the first that differs by more.
  public init(_ session: SparseLtSession, on compute: Compute = .automatic) throws(CUDAError) {
    var (products, largest) = (0, 0.0)
    for type in [ScalarType.int8, .float16, .bfloat16] {
      guard let shape = try? SparseShape(outputs: 160, inputs: 416, type: type) else { continue }
      let sample = SampleWeight(shape, seed: 17, on: compute)
      let dense = try DeviceBuffer(copying: sample.dense.bytes, on: session.device)
      let weight = try SparseWeight(compressing: dense, shape: shape, session)
      for rows in Self.rows {
        let result: DeviceType? = type == .int8 ? .int32 : nil
        guard let product = try? SparseProduct(shape, rows: rows, result: result) else { continue }
        let x = SampleActivations(product, seed: UInt64(rows), on: compute)
        let expected = x.product(with: sample, on: compute)
        let found = try Self.run(product, x, weight, session, on: compute)
        let share = try Self.compare(found, expected, product)
        largest = max(largest, share)
        products += 1
      }
    }
    self.products = products
    largestShareOfBound = largest
    isLayoutKnown = try session.layout(on: compute) != nil
  }

  private static func run(
    _ product: SparseProduct, _ x: SampleActivations, _ weight: borrowing SparseWeight,
    _ session: SparseLtSession, on compute: Compute
  ) throws(CUDAError) -> Matrix {
    let input = try DeviceBuffer(copying: x.bytes, on: session.device)
    let output = try DeviceBuffer(byteCount: product.outputBytes, on: session.device)
    try SparsePlan(product, session).multiply(input, weight, into: output)
    let (rows, outputs) = (product.rows, product.weight.outputs)
    let numbers = try output.numbers(0..<rows * outputs, product.result)
    return Matrix(rows: rows, columns: outputs, numbers.map(Float.init))
  }

  /// The largest error as a share of its bound.
  private static func compare(
    _ found: Matrix, _ expected: (product: Matrix, bound: Matrix), _ product: SparseProduct
  ) throws(CUDAError) -> Double {
    var largest = 0.0
    for row in 0..<found.rows {
      for column in 0..<found.columns {
        let (value, right) = (found[row, column], expected.product[row, column])
        let bound = expected.bound[row, column]
        let error = abs(value - right)
        guard error <= bound else {
          throw .wrongProduct(
            "\(product)", row: row, column: column, result: value, expected: right, bound: bound)
        }
        if bound > 0 { largest = max(largest, Double(error / bound)) }
      }
    }
    return largest
  }
}

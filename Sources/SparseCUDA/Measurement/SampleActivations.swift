internal import SparseCore

/// Random activations in a product's format, whose INT8 scale on the CPU is 1.
struct SampleActivations {
  /// `rows × inputs`, as numbers.
  let values: Matrix
  /// `paddedRows × inputs`, as the GPU reads them.
  let bytes: ByteView
  private let product: SparseProduct

  init(_ product: SparseProduct, seed: UInt64, on compute: Compute) {
    let (rows, inputs) = (product.rows, product.weight.inputs)
    var random = SplitMix64(seed: seed)
    var codes = (0..<rows * inputs).map { _ in Int(random.next() % 255) - 127 }
    // The largest code of a row, so that the CPU rounds to exactly these.
    for row in 0..<rows { codes[row * inputs] = 127 }
    let isInt8 = product.weight.type == .int8
    values = Matrix(
      rows: rows, columns: inputs, codes.map { isInt8 ? Float($0) : Float($0) * (1 / 128) })
    var bytes =
      isInt8
      ? codes.map { UInt8(bitPattern: Int8($0)) }
      : values.storedBytes(as: product.weight.type.scalarType ?? .float16, on: compute)
    bytes += [UInt8](repeating: 0, count: product.inputBytes - bytes.count)
    self.bytes = ByteView(copying: bytes)
    self.product = product
  }

  /// The product by the CPU, and by how much each of its values may differ.
  func product(
    with sample: SampleWeight, on compute: Compute
  ) -> (product: Matrix, bound: Matrix) {
    if product.weight.type == .int8 {
      // Integers below 2²⁴: float32 holds them.
      let sums = int8Linear(values, .compressed(sample.compressed), on: compute)
      return (sums, Matrix(rows: sums.rows, columns: sums.columns))
    }
    let result = linear(values, sample.compressed, on: compute)
    let sizes = linear(
      values.map(abs), StoredMatrix(Matrix(sample.dense, on: compute).map(abs)), on: compute)
    let sumError = Float(product.weight.inputs) * 0x1p-23
    let roundoff: Float = product.result == .bfloat16 ? 0x1p-8 : 0x1p-11
    return (
      result,
      Matrix(
        rows: result.rows, columns: result.columns,
        zip(result.values, sizes.values).map { sumError * $1 + roundoff * abs($0) })
    )
  }
}

extension Matrix {
  fileprivate func map(_ function: (Float) -> Float) -> Matrix {
    Matrix(rows: rows, columns: columns, values.map(function))
  }
}

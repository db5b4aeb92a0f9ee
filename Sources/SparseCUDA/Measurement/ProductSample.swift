/// Some values of a product on a GPU, held against sums in float64.
///
/// What is timed must be right: a kernel that does less is the fastest.
struct ProductSample {
  let rows, outputs, inputs: Int
  let type, result: DeviceType
  let scale: Float

  init(_ product: SparseProduct, scale: Float) {
    (rows, outputs, inputs) = (product.rows, product.weight.outputs, product.weight.inputs)
    (type, result) = (product.weight.type, product.result)
    self.scale = scale
  }

  init(_ product: DenseProduct, scale: Float) {
    (rows, outputs, inputs) = (product.rows, product.outputs, product.inputs)
    (type, result) = (product.type, product.result)
    self.scale = scale
  }

  /// The scale that brings sums of random numbers into the range of INT8: a power of two; 1 for other formats.
  static func scale(of type: DeviceType, inputs: Int) -> Float {
    guard type == .int8 else { return 1 }
    // Random INT8 has a standard deviation of 74; sums are to have one of about 32.
    let deviation = 74 * 74 * Double(inputs).squareRoot() / 32
    return Float(sign: .plus, exponent: -Int(deviation.exponent), significand: 1)
  }

  /// Looks at the corners and the middle of a result.
  ///
  /// INT8 sums are exact. Sums of 16-bit formats may be off by `K · 2⁻²³ · Σ|x·w|` with `K` products in a sum, and
  /// every result by its rounding.
  ///
  /// - Parameters:
  ///   - weight: with all of its zeros, `outputs × inputs`.
  ///   - y: the result of the product.
  /// - Throws: ``CUDAError/wrongProduct(_:row:column:result:expected:bound:)``.
  func check(
    _ y: borrowing DeviceBuffer, _ x: borrowing DeviceBuffer, _ weight: borrowing DeviceBuffer
  ) throws(CUDAError) {
    for row in Set([0, rows / 2, rows - 1]).sorted() {
      let left = try x.numbers(row * inputs..<(row + 1) * inputs, type)
      for output in Set([0, outputs / 2, outputs - 1]).sorted() {
        let right = try weight.numbers(output * inputs..<(output + 1) * inputs, type)
        let place = row * outputs + output
        let found = try y.numbers(place..<place + 1, result)[0]
        let (sum, size) = sums(left, right)
        let expected = result == .int8 ? max(-128, min(127, sum)) : sum
        let bound = bound(sum, size)
        guard abs(found - expected) <= bound else {
          throw .wrongProduct(
            "\(rows) × \(inputs) → \(outputs) \(type.rawValue) to \(result.rawValue)", row: row,
            column: output, result: Float(found), expected: Float(expected), bound: Float(bound))
        }
      }
    }
  }

  /// The scaled sum of the products, and of their sizes.
  private func sums(_ left: [Double], _ right: [Double]) -> (sum: Double, size: Double) {
    var (sum, size) = (0.0, 0.0)
    for (x, w) in zip(left, right) {
      sum += x * w
      size += abs(x * w)
    }
    return (sum * Double(scale), size * Double(scale))
  }

  private func bound(_ sum: Double, _ size: Double) -> Double {
    let sumError = type == .int8 ? 0x1p-23 * abs(sum) : Double(inputs) * 0x1p-23 * size
    switch result {
    case .int32: return 0
    case .int8: return sumError + 0.5
    // 2⁻²⁵ is half of the smallest float16.
    case .float16: return sumError + 0x1p-11 * abs(sum) + 0x1p-25
    case .bfloat16: return sumError + 0x1p-8 * abs(sum)
    }
  }
}

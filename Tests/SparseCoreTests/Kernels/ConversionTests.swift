import SparseCore
import TestSupport
import Testing

@Suite struct ConversionTests {
  static let everyHalf = Array(UInt16.min...UInt16.max)

  private func floats(_ type: ScalarType, _ bytes: [UInt8], _ kernels: KernelSet) -> [Float] {
    let stored = StoredMatrix(
      rows: 1, columns: bytes.count / type.byteCount, type: type, bytes: ByteView(copying: bytes))
    return Matrix(stored, on: Compute(kernels: kernels, threads: 1)).values
  }

  private func stored(_ values: [Float], _ type: ScalarType, _ kernels: KernelSet) -> [UInt16] {
    let bytes = Matrix(rows: 1, columns: values.count, values)
      .storedBytes(as: type, on: Compute(kernels: kernels, threads: 1))
    return (0..<values.count).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
  }

  /// The value by the format's definition: sign, exponent and mantissa.
  private func definition(_ half: UInt16, exponentBits: Int) -> Float {
    let mantissaBits = 15 - exponentBits
    let exponent = Int(half >> UInt16(mantissaBits)) & ((1 << exponentBits) - 1)
    let mantissa = Double(Int(half) & ((1 << mantissaBits) - 1)) / Double(1 << mantissaBits)
    let bias = (1 << (exponentBits - 1)) - 1
    let size: Double
    if exponent == (1 << exponentBits) - 1 {
      size = mantissa == 0 ? .infinity : .nan
    } else if exponent == 0 {
      size = mantissa * Double(sign: .plus, exponent: 1 - bias, significand: 1)
    } else {
      size = (1 + mantissa) * Double(sign: .plus, exponent: exponent - bias, significand: 1)
    }
    return Float(half & 0x8000 == 0 ? size : -size)
  }

  @Test(arguments: KernelSet.available, [(ScalarType.float16, 5), (.bfloat16, 8)])
  func everyHalfWidensExactlyAndComesBack(kernels: KernelSet, format: (ScalarType, Int)) {
    let (type, exponentBits) = format
    let wide = floats(type, storedBytes(Self.everyHalf), kernels)
    let back = stored(wide, type, kernels)
    let again = floats(type, storedBytes(back), kernels)
    let wrong = Self.everyHalf.filter { half in
      let (got, want) = (wide[Int(half)], definition(half, exponentBits: exponentBits))
      if want.isNaN { return !got.isNaN || !again[Int(half)].isNaN }
      return got.bitPattern != want.bitPattern || back[Int(half)] != half
    }
    #expect(wrong.isEmpty)
  }

  /// Between every two neighbours: a little below the middle, the middle (ties to even), a little above.
  @Test(
    arguments: KernelSet.available, [(ScalarType.float16, UInt16(0x7C00)), (.bfloat16, 0x7F80)])
  func roundsToNearestTiesToEven(kernels: KernelSet, format: (ScalarType, UInt16)) {
    let (type, infinity) = format
    let wide = floats(type, storedBytes(Self.everyHalf), kernels)
    var values: [Float] = []
    var wanted: [UInt16] = []
    for low in 0..<infinity - 1 {
      let middle = Float((Double(wide[Int(low)]) + Double(wide[Int(low) + 1])) / 2)
      values += [middle.nextDown, middle, middle.nextUp]
      wanted += [low, low + (low & 1), low + 1]
    }
    // Half a step beyond the largest number is infinity, just below it is not.
    let largest = Double(wide[Int(infinity) - 1])
    let step = largest - Double(wide[Int(infinity) - 2])
    let edge = Float(largest + step / 2)
    values += [edge.nextDown, edge, .infinity, .greatestFiniteMagnitude]
    wanted += [infinity - 1, infinity, infinity, infinity]
    #expect(stored(values, type, kernels) == wanted)
    #expect(stored(values.map { -$0 }, type, kernels) == wanted.map { $0 | 0x8000 })
  }

  @Test(arguments: KernelSet.available, [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100])
  func everyLengthConverts(kernels: KernelSet, count: Int) {
    let values = randomFloats(count, seed: 1)
    let halves = stored(values, .bfloat16, kernels)
    #expect(
      halves == values.map { UInt16(($0.bitPattern + 0x7FFF + ($0.bitPattern >> 16 & 1)) >> 16) })
    #expect(
      bits(floats(.bfloat16, storedBytes(halves), kernels)) == halves.map { UInt32($0) << 16 })
    let same = Matrix(rows: 1, columns: count, values).storedBytes(as: .float32)
    #expect(bits(floats(.float32, same, kernels)) == bits(values))
  }

  @Test func rowsOfAStoredMatrixAreConverted() {
    let stored = StoredMatrix(
      rows: 4, columns: 3, type: .bfloat16,
      bytes: ByteView(copying: storedBytes((0..<12).map { UInt16($0 + 0x3F80) })))
    let all = Matrix(stored)
    let picked = Matrix(rows: [2, 0, 2], of: stored)
    #expect(picked.values == Array(row(all, 2)) + Array(row(all, 0)) + Array(row(all, 2)))
  }
}

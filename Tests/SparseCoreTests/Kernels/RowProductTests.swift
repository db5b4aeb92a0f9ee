import SparseCore
import TestSupport
import Testing

/// Products with the rows of a weight where they are stored, dense and 2:4, against their definition.
@Suite struct RowProductTests {
  /// Around whole bytes of a mask, vectors and stretches.
  static let columns = [0, 4, 8, 12, 60, 64, 68, 512, 516, 1028]
  /// Rows of activations and of the weight: those that go together, fewer and more.
  static let shapes = [(0, 3), (1, 0), (1, 4), (2, 1), (3, 5), (7, 6)]

  /// A 2:4 weight with its dense form, one byte off the start of arrays as it may be in a file.
  private struct Weight {
    let dense: StoredMatrix
    let values: [UInt8]
    let mask: [UInt8]
    let whole: [UInt8]

    init(rows: Int, columns: Int, type: ScalarType, seed: UInt64) throws {
      dense = Matrix.pruned(rows: rows, columns: columns, seed: seed).stored(type)
      let compressed = try Compressed24(exactly: dense)
      values = [0] + compressed.values.withUnsafeBytes { Array($0) }
      mask = [0] + compressed.mask.withUnsafeBytes { Array($0) }
      whole = [0] + dense.bytes.withUnsafeBytes { Array($0) }
    }

    /// Calls `body` with the compressed and with the dense rows.
    func withRows(_ body: (WeightRows) -> Void) {
      let size = dense.type.byteCount
      values.withUnsafeBytes { values in
        mask.withUnsafeBufferPointer { mask in
          body(
            WeightRows(
              values: values.start + 1, valueBytes: dense.columns / 2 * size,
              mask: mask.start + 1, maskBytes: (dense.columns + 7) / 8))
        }
      }
      whole.withUnsafeBytes {
        body(WeightRows(values: $0.start + 1, valueBytes: dense.columns * size))
      }
    }
  }

  /// `rows` of `count` values with `gap` more between them, which nothing must touch or read.
  private func spread<Value>(_ values: [Value], rows: Int, gap: Value) -> [Value] {
    let count = rows == 0 ? 0 : values.count / rows
    return (0..<rows).flatMap { values[$0 * count..<($0 + 1) * count] + [gap, gap, gap] }
  }

  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func valuesAreThoseOfDotsWithTheDenseRows(kernels: KernelSet, type: ScalarType) throws {
    for columns in Self.columns {
      for (tokens, outputs) in Self.shapes {
        let weight = try Weight(rows: outputs, columns: columns, type: type, seed: 1)
        let wide = Matrix(weight.dense)
        let x = randomMatrix(tokens, columns, seed: 2)
        let rows = spread(x.values, rows: tokens, gap: .nan)
        weight.withRows {
          var out = [Float](repeating: 7, count: tokens * (outputs + 3))
          kernels.multiply(
            tokens: tokens, outputs: outputs, columns: columns, rows, stride: columns + 3, type, $0,
            into: &out, outStride: outputs + 3)
          let dots = (0..<tokens * outputs).map { place in
            kernels.dot(
              columns, Array(row(x, place / outputs)), Array(row(wide, place % outputs)))
          }
          #expect(
            bits(out) == bits(spread(dots, rows: tokens, gap: 7)),
            "\(columns), \(tokens) × \(outputs)")
        }
      }
    }
  }

  @Test(arguments: KernelSet.available, columns)
  func integerSumsAreExact(kernels: KernelSet, columns: Int) throws {
    for (tokens, outputs) in Self.shapes {
      let weight = try Weight(rows: outputs, columns: columns, type: .int8, seed: 3)
      let codes = Matrix(weight.dense).values.map { Int($0) }
      var random = SplitMix64(seed: 4)
      let x = (0..<tokens * columns).map { _ in
        random.next() % 4 == 0 ? Int8(-127) : Int8.random(in: -127...127, using: &random)
      }
      let rows = spread(x, rows: tokens, gap: 99)
      let exact = (0..<tokens * outputs).map { place in
        Int32(
          (0..<columns).reduce(0) {
            $0 + Int(x[place / outputs * columns + $1]) * codes[place % outputs * columns + $1]
          })
      }
      weight.withRows {
        var out = [Int32](repeating: 7, count: tokens * (outputs + 3))
        kernels.multiplyInt8(
          tokens: tokens, outputs: outputs, columns: columns, rows, stride: columns + 3, $0,
          into: &out, outStride: outputs + 3)
        #expect(out == spread(exact, rows: tokens, gap: 7), "\(tokens) × \(outputs)")
      }
    }
  }

  /// As many columns as are allowed, all of them as large as they can be.
  @Test(arguments: KernelSet.available, [(Int8(127), Int8(-128)), (-127, -128)])
  func theLargestIntegerSumsFit(kernels: KernelSet, values: (Int8, Int8)) {
    let count = KernelSet.exactInputs
    let x = [Int8](repeating: values.0, count: count)
    let weight = [Int8](repeating: values.1, count: count)
    let mask = [UInt8](repeating: 0b1010_0110, count: count / 8)
    var out: [Int32] = [0, 0]
    weight.withUnsafeBytes { bytes in
      kernels.multiplyInt8(
        tokens: 1, outputs: 1, columns: count, x, stride: count,
        WeightRows(values: bytes.start, valueBytes: count), into: &out[0], outStride: 1)
      mask.withUnsafeBufferPointer { mask in
        kernels.multiplyInt8(
          tokens: 1, outputs: 1, columns: count, x, stride: count,
          WeightRows(
            values: bytes.start, valueBytes: count / 2, mask: mask.start, maskBytes: count / 8),
          into: &out[1], outStride: 1)
      }
    }
    let sum = Int(values.0) * Int(values.1) * count
    #expect(out.map(Int.init) == [sum, sum / 2])
  }

  /// What a mask says decides no address: with any bytes nothing outside the arrays is read or written.
  ///
  /// The address sanitizer sees reads too; here it is outputs that must stay within their rows.
  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func anyMaskIsHarmless(kernels: KernelSet, type: ScalarType) {
    var random = SplitMix64(seed: 5)
    for columns in Self.columns {
      let (tokens, outputs) = (3, 5)
      let values = (0..<outputs * columns / 2 * type.byteCount).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let mask = (0..<outputs * ((columns + 7) / 8)).map { index in
        index % 3 == 0 ? 255 : UInt8.random(in: 0...255, using: &random)
      }
      let x = [Float](repeating: 1, count: tokens * columns)
      let codes = [Int8](repeating: 1, count: tokens * columns)
      var out = [Float](repeating: 7, count: tokens * outputs + 1)
      var sums = [Int32](repeating: 7, count: tokens * outputs + 1)
      var dense = [UInt8](repeating: 7, count: columns * type.byteCount + 1)
      values.withUnsafeBytes { values in
        mask.withUnsafeBufferPointer { mask in
          let rows = WeightRows(
            values: values.start, valueBytes: columns / 2 * type.byteCount, mask: mask.start,
            maskBytes: (columns + 7) / 8)
          kernels.multiply(
            tokens: tokens, outputs: outputs, columns: columns, x, stride: columns, type, rows,
            into: &out, outStride: outputs)
          if type == .int8 {
            kernels.multiplyInt8(
              tokens: tokens, outputs: outputs, columns: columns, codes, stride: columns, rows,
              into: &sums, outStride: outputs)
          }
          kernels.expand24(columns, type, values.start, mask: mask.start, into: &dense)
        }
      }
      #expect(out.last == 7 && sums.last == 7 && dense.last == 7, "\(columns)")
    }
  }
}

import SparseCore
import TestSupport
import Testing

@Suite struct Compressed24Tests {
  static let shapes = [(0, 4), (1, 4), (3, 12), (5, 64), (2, 68), (7, 260), (4, 1028)]

  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func everyWeightComesBackBitForBit(kernels: KernelSet, type: ScalarType) throws {
    for (seed, shape) in Self.shapes.enumerated() {
      let weight = Matrix.pruned(rows: shape.0, columns: shape.1, seed: UInt64(seed)).stored(type)
      for threads in [1, 3] {
        let compute = Compute(kernels: kernels, threads: threads)
        let compressed = try Compressed24(exactly: weight, on: compute)
        #expect(compressed.mask.array == Reference.mask(of: weight), "\(shape)")
        #expect(compressed.values.array == Reference.kept(of: weight), "\(shape)")
        #expect(compressed.expanded(on: compute).bytes.array == weight.bytes.array)
        #expect(compressed.expanded(on: compute).grid == weight.grid)
      }
    }
  }

  @Test func theSizeIsNineSixteenthsOrFiveEighths() throws {
    let weight = Matrix.pruned(rows: 6, columns: 128, seed: 1)
    for (type, parts, of) in [(ScalarType.float16, 9, 16), (.bfloat16, 9, 16), (.int8, 5, 8)] {
      let stored = weight.stored(type)
      let compressed = try Compressed24(exactly: stored)
      #expect(compressed.byteCount * of == stored.bytes.count * parts, "\(type)")
    }
  }

  @Test(arguments: KernelSet.available, ScalarType.floatingPoint)
  func negativeZerosBecomePositive(kernels: KernelSet, type: ScalarType) throws {
    let compute = Compute(kernels: kernels)
    let weight = StoredMatrix(
      Matrix(rows: 1, columns: 12, [-0.0, 1, -0.0, 2, -0.0, -0.0, -0.0, -0.0, 3, -0.0, 0, 0]),
      as: type)
    let expanded = try Compressed24(exactly: weight, on: compute).expanded(on: compute)
    let zeros = Matrix(rows: 1, columns: 12, [0, 1, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0])
    #expect(expanded.bytes.array == StoredMatrix(zeros, as: type).bytes.array)
  }

  @Test(arguments: ScalarType.floatingPoint)
  func theFirstGroupThatIsNot24IsNamed(type: ScalarType) throws {
    var values = Matrix.pruned(rows: 40, columns: 68, seed: 3).values
    for column in 64..<67 { values[17 * 68 + column] = 1 }
    for column in 0..<4 { values[30 * 68 + column] = 1 }
    let weight = StoredMatrix(Matrix(rows: 40, columns: 68, values), as: type)
    #expect(
      throws: CompressionError.notTwoOfFour(
        GroupViolation(row: 17, group: 16, nonZeros: 3, isFinite: true))
    ) {
      try Compressed24(exactly: weight)
    }
  }

  @Test(arguments: [Float.nan, .infinity]) func whatIsNotFiniteIsRefused(value: Float) throws {
    let weight = StoredMatrix(
      Matrix(rows: 2, columns: 8, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, value, 0]),
      as: .bfloat16)
    #expect(
      throws: CompressionError.notTwoOfFour(
        GroupViolation(row: 1, group: 1, nonZeros: 1, isFinite: false))
    ) {
      try Compressed24(exactly: weight)
    }
  }

  @Test func columnsMustBeGroups() {
    let weight = StoredMatrix(Matrix(rows: 1, columns: 6, [0, 0, 0, 0, 0, 0]))
    #expect(throws: CompressionError.columnsNotMultipleOfFour(columns: 6)) {
      try Compressed24(exactly: weight)
    }
    #expect(throws: CompressionError.columnsNotMultipleOfFour(columns: 6)) {
      try Compressed24(
        rows: 1, columns: 6, type: .float32,
        values: ByteView(copying: Array(repeating: 0, count: 12)),
        mask: ByteView(copying: [3]))
    }
  }

  @Test(arguments: [4, 12, 64, 68, 72, 132, 1028])
  func aMaskThatDoesNotKeepTwoOfFourIsRefused(columns: Int) throws {
    let weight = Matrix.pruned(rows: 5, columns: columns, seed: 9).stored(.bfloat16)
    let good = try Compressed24(exactly: weight)
    let rowBytes = (columns + 7) / 8
    for group in [0, columns / 8, columns / 4 - 1] {
      for (nibble, kept) in [(UInt8(0b0111), 3), (0b1111, 4), (0, 0), (0b0100, 1)] {
        var mask = good.mask.array
        let place = 3 * rowBytes + group / 2
        mask[place] = mask[place] & ~(0xF << (group % 2 * 4)) | nibble << (group % 2 * 4)
        #expect(throws: CompressionError.brokenMask(row: 3, group: group, kept: kept)) {
          try Compressed24(
            rows: 5, columns: columns, type: .bfloat16, values: good.values,
            mask: ByteView(copying: mask))
        }
      }
    }
    if columns % 8 == 4 {
      var mask = good.mask.array
      mask[2 * rowBytes - 1] |= 0x30
      #expect(throws: CompressionError.maskBeyondColumns(row: 1, columns: columns)) {
        try Compressed24(
          rows: 5, columns: columns, type: .bfloat16, values: good.values,
          mask: ByteView(copying: mask))
      }
    }
  }

  @Test func rowsAreTheRowsOfTheWeight() throws {
    let weight = Matrix.pruned(rows: 9, columns: 20, seed: 4).stored(.int8)
    let rows = try Compressed24(exactly: weight).rows(3..<7)
    #expect(Matrix(rows.expanded()) == Matrix(weight.rows(3..<7)))
  }

  @Test(
    .enabled(if: Shared.exists),
    arguments: [
      "fp16_32x64_exact2", "bf16_32x64_exact2", "fp16_32x64_lt2", "int8_32x128_lt2",
    ], KernelSet.available)
  func theBytesAreThoseOfCompressedTensors(name: String, kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    let file = try SafetensorsFile(
      path: Shared.path("golden/formats/ct_sparse24_\(name).safetensors"))
    let shape = try file.integers("layer.shape")
    let dense = try file.bytes(of: "dense")
    let weight =
      name.hasPrefix("int8")
      ? StoredMatrix(codes: dense, on: .ones(rows: shape[0], columns: shape[1]))
      : try file.matrix("dense")
    let compressed = try Compressed24(exactly: weight, on: compute)
    let bitmask = try file.bytes(of: "layer.bitmask")
    #expect(compressed.mask.array == bitmask.array)
    let values = compressed.values.array,
      golden = try file.bytes(of: "layer.compressed").array
    #expect(
      values.withoutSignsOfZero(type: weight.type) == golden.withoutSignsOfZero(type: weight.type))
    let expanded = compressed.expanded(on: compute).bytes.array
    #expect(
      expanded.withoutSignsOfZero(type: weight.type)
        == dense.array.withoutSignsOfZero(type: weight.type))
  }
}

extension Matrix {
  /// Random whole numbers of −100 to 100, of which at most two of four are not 0.
  static func pruned(rows: Int, columns: Int, seed: UInt64) -> Matrix {
    var random = SplitMix64(seed: seed)
    var values = [Float](repeating: 0, count: rows * columns)
    for group in 0..<rows * columns / 4 {
      let places = Array(0..<4).shuffled(using: &random)
      for place in places[..<min(2, Int.random(in: 0...9, using: &random))] {
        values[4 * group + place] = Float(Int.random(in: -100...100, using: &random))
      }
    }
    return Matrix(rows: rows, columns: columns, values)
  }

  /// The matrix in a number format that holds it exactly.
  func stored(_ type: ScalarType) -> StoredMatrix {
    guard type == .int8 else { return StoredMatrix(self, as: type) }
    return StoredMatrix(quantizing: self, on: .ones(rows: rows, columns: columns))
  }
}

extension Int8Grid {
  /// The grid of whole numbers.
  static func ones(rows: Int, columns: Int) -> Int8Grid {
    Int8Grid(rows: rows, columns: columns, scales: Array(repeating: 1, count: rows))
  }
}

/// Both halves of a compressed weight by their definition, from its values alone.
private enum Reference {
  static func places(_ group: ArraySlice<Float>) -> [Int] {
    let nonZeros = (0..<4).filter { group[group.startIndex + $0] != 0 }
    switch nonZeros {
    case [0]: return [0, 2]
    case [1]: return [1, 3]
    case [], [2], [3]: return [2, 3]
    default: return nonZeros
    }
  }

  static func mask(of weight: StoredMatrix) -> [UInt8] {
    let (values, rowBytes) = (Matrix(weight).values, (weight.columns + 7) / 8)
    var mask = [UInt8](repeating: 0, count: weight.rows * rowBytes)
    for row in 0..<weight.rows {
      for group in 0..<weight.columns / 4 {
        let start = row * weight.columns + 4 * group
        for place in places(values[start..<start + 4]) {
          mask[row * rowBytes + (4 * group + place) / 8] |= 1 << ((4 * group + place) % 8)
        }
      }
    }
    return mask
  }

  static func kept(of weight: StoredMatrix) -> [UInt8] {
    let (values, size) = (Matrix(weight).values, weight.type.byteCount)
    let bytes = weight.bytes.array
    var kept: [UInt8] = []
    for start in stride(from: 0, to: values.count, by: 4) {
      for place in places(values[start..<start + 4]) {
        kept += bytes[(start + place) * size..<(start + place + 1) * size]
      }
    }
    return kept
  }
}

extension ByteView {
  var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension [UInt8] {
  /// Values as bytes, −0.0 made +0.0: upstream keeps the sign of a zero that fills a group.
  fileprivate func withoutSignsOfZero(type: ScalarType) -> [UInt8] {
    guard type != .int8 else { return self }
    var bytes = self
    for high in Swift.stride(from: 1, to: count, by: 2)
    where bytes[high] == 0x80 && bytes[high - 1] == 0 {
      bytes[high] = 0
    }
    return bytes
  }
}

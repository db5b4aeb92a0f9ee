import SparseCore
import Testing

/// A layout and a type that it has metadata for.
struct MetadataCase: Sendable, CustomTestStringConvertible {
  let layout: MetadataLayout
  let type: ScalarType

  static let all = MetadataLayout.all.flatMap { layout in
    ScalarType.allCases.filter { layout.multiples(for: $0) != nil }.map { type in
      MetadataCase(layout: layout, type: type)
    }
  }

  var testDescription: String { "\(layout.name) of \(type)" }

  /// The smallest shape that the layout takes, and multiples of it.
  var shapes: [(rows: Int, columns: Int)] {
    let unit = layout.multiples(for: type) ?? (1, 4)
    return [(1, 1), (2, 1), (1, 2), (3, 5), (5, 3), (9, 2), (2, 9)].map {
      ($0.0 * unit.rows, $0.1 * unit.columns)
    }
  }

  func decoded(_ bytes: [UInt8], rows: Int, columns: Int) throws(MetadataError) -> Mask24 {
    try layout.mask(from: ByteView(copying: bytes), rows: rows, columns: columns, type: type)
  }
}

@Suite struct MetadataLayoutTests {
  @Test func theNamesAndTypesAreThese() {
    let types = MetadataLayout.all.map { layout in
      "\(layout.name): "
        + ScalarType.allCases.compactMap { type in
          layout.multiples(for: type).map { "\(type) \($0.rows) × \($0.columns)" }
        }.joined(separator: ", ")
    }
    #expect(
      types == [
        "logical: float32 1 × 4, float16 1 × 4, bfloat16 1 × 4, int8 1 × 4",
        "cutlass: float16 32 × 32, bfloat16 32 × 32, int8 16 × 64",
        "pytorch: float16 32 × 64, bfloat16 32 × 64, int8 16 × 128",
        "mma-sp-0: float16 16 × 32, bfloat16 16 × 32, int8 16 × 64",
        "mma-sp-1: float16 16 × 32, bfloat16 16 × 32",
        "cusparselt: float16 16 × 16, bfloat16 16 × 16, int8 32 × 32",
      ])
  }

  /// One group that changes from 0 and 1 to 2 and 3 changes one nibble, from 4 to 14, and no two groups the same one.
  @Test(arguments: MetadataCase.all) func everyGroupHasOnePlace(test: MetadataCase) throws {
    for (rows, columns) in test.shapes.prefix(3) {
      let groups = rows * columns / 4
      func nibbles(changing group: Int?) throws -> [UInt8] {
        let scores = Matrix(
          rows: rows, columns: columns,
          (0..<rows * columns).map { ($0 % 4 < 2) == ($0 / 4 != group) ? 1 : 0 })
        return try test.layout.encoded(Mask24(keepingLargest: scores), for: test.type).array
          .flatMap { [$0 & 15, $0 >> 4] }
      }
      let base = try nibbles(changing: nil)
      var places: Set<Int> = []
      for group in 0..<groups {
        let changed = try nibbles(changing: group)
        #expect(changed.count == base.count)
        let differing = base.indices.filter { base[$0] != changed[$0] }
        let place = try #require(differing.first, "group \(group) of \(rows) × \(columns)")
        #expect(differing.count == 1 && (base[place], changed[place]) == (4, 14))
        places.insert(place)
      }
      #expect(places.count == groups, "\(rows) × \(columns)")
    }
  }

  @Test(arguments: MetadataCase.all) func theBytesAreThoseThatTheConsumerReads(test: MetadataCase)
    throws
  {
    for (seed, shape) in test.shapes.enumerated() {
      let mask = try Mask24.random(rows: shape.rows, columns: shape.columns, seed: UInt64(seed))
      let bytes = try test.layout.encoded(mask, for: test.type)
      #expect(
        bytes.array == MetadataReference.encoded(mask, test.layout, for: test.type),
        "\(shape)")
      #expect(
        bytes.count
          == (try test.layout.byteCount(
            rows: shape.rows, columns: shape.columns, type: test.type)))
    }
  }

  @Test(arguments: MetadataCase.all) func theMaskComesBack(test: MetadataCase) throws {
    for (seed, shape) in test.shapes.enumerated() {
      let mask = try Mask24.random(rows: shape.rows, columns: shape.columns, seed: UInt64(seed))
      let bytes = try test.layout.encoded(mask, for: test.type)
      #expect(
        try test.decoded(bytes.array, rows: shape.rows, columns: shape.columns) == mask)
    }
  }

  @Test(arguments: MetadataCase.all) func theBytesAreTheSameForAnyNumberOfThreads(
    test: MetadataCase
  ) throws {
    let (rows, columns) = (192, 384)
    let mask = try Mask24.random(rows: rows, columns: columns, seed: 7)
    let one = try test.layout.encoded(mask, for: test.type, on: Compute(threads: 1))
    for threads in [2, 3, 7] {
      let compute = Compute(threads: threads)
      let bytes = try test.layout.encoded(mask, for: test.type, on: compute)
      #expect(bytes.array == one.array)
      #expect(
        try test.layout.mask(
          from: bytes, rows: rows, columns: columns, type: test.type, on: compute) == mask)
    }
  }

  @Test(arguments: MetadataCase.all) func aCompressedWeightHasTheMetadataOfItsMask(
    test: MetadataCase
  ) throws {
    let (rows, columns) = (64, 128)
    let weight = Matrix.pruned(rows: rows, columns: columns, seed: 5).stored(test.type)
    let compressed = try Compressed24(exactly: weight, filler: test.layout.filler)
    let bytes = try test.layout.encoded(compressed)
    let mask = try test.decoded(bytes.array, rows: rows, columns: columns)
    #expect(mask.bytes == compressed.mask.array)
    #expect(try test.layout.encoded(mask, for: test.type).array == bytes.array)
  }

  @Test func rowsOfAnOddNumberOfGroupsStartOnAByte() throws {
    let scores = Matrix(rows: 2, columns: 12, (0..<24).map { Float($0) })
    let mask = try Mask24(keepingLargest: scores)
    let bytes = try MetadataLayout.logical.encoded(mask, for: .float32)
    #expect(bytes.array == [0xEE, 0x0E, 0xEE, 0x0E])
  }

  @Test(arguments: MetadataCase.all) func aWeightWithoutValuesHasNoMetadata(test: MetadataCase)
    throws
  {
    let unit = try #require(test.layout.multiples(for: test.type))
    for (rows, columns) in [(0, 0), (0, unit.columns), (unit.rows, 0), (0, 1 << 30)] {
      #expect(try test.decoded([], rows: rows, columns: columns).bytes.isEmpty)
    }
  }
}

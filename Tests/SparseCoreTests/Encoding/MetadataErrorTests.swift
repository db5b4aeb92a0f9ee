import SparseCore
import Testing

@Suite struct MetadataErrorTests {
  @Test(arguments: MetadataLayout.all.dropFirst()) func float32IsRefusedByTensorCores(
    layout: MetadataLayout
  ) throws {
    let mask = try Mask24.random(rows: 64, columns: 128, seed: 1)
    #expect(throws: MetadataError.type(.float32, layout: layout.name)) {
      try layout.encoded(mask, for: .float32)
    }
    #expect(throws: MetadataError.type(.float32, layout: layout.name)) {
      try layout.mask(from: ByteView(copying: []), rows: 64, columns: 128, type: .float32)
    }
  }

  @Test(arguments: MetadataCase.all) func shapesThatTheLayoutDoesNotTakeAreRefused(
    test: MetadataCase
  ) throws {
    let unit = try #require(test.layout.multiples(for: test.type))
    let shapes = [
      (unit.rows * 3 + unit.rows / 2, unit.columns * 2),
      (unit.rows * 3, unit.columns * 2 + unit.columns / 8 * 4),
    ].filter { $0.0 % unit.rows != 0 || $0.1 % unit.columns != 0 }
    for (rows, columns) in shapes {
      let error = MetadataError.shape(
        rows: rows, columns: columns, rowMultiple: unit.rows, columnMultiple: unit.columns,
        layout: test.layout.name)
      let mask = try Mask24.random(rows: rows, columns: columns, seed: 1)
      #expect(throws: error) { try test.layout.encoded(mask, for: test.type) }
      #expect(throws: error) {
        try test.decoded(
          Array(repeating: 0x44, count: rows * columns / 8), rows: rows, columns: columns)
      }
      #expect(throws: error) {
        try test.layout.byteCount(rows: rows, columns: columns, type: test.type)
      }
    }
  }

  @Test(arguments: MetadataCase.all) func sizesThatNoWeightHasAreRefused(test: MetadataCase) {
    let unit = test.layout.multiples(for: test.type) ?? (1, 4)
    for (rows, columns) in [
      (unit.rows, 6), (unit.rows, -unit.columns), (-unit.rows, unit.columns),
      (1 << 31, unit.columns),
      (unit.rows, 1 << 31), (.max, .max), (.min, .min), (.max, 4),
    ] {
      #expect(throws: MetadataError.size(rows: rows, columns: columns)) {
        try test.decoded([0x44], rows: rows, columns: columns)
      }
    }
    let largest = (1 << 31) - 128
    #expect(throws: Never.self) {
      try test.layout.byteCount(rows: largest, columns: largest, type: test.type)
    }
  }

  @Test(arguments: MetadataCase.all) func metadataOfAnotherSizeIsRefused(test: MetadataCase) throws
  {
    for (rows, columns) in test.shapes {
      let needed = try test.layout.byteCount(rows: rows, columns: columns, type: test.type)
      for count in [0, needed - 1, needed + 1, 2 * needed] {
        #expect(
          throws: MetadataError.byteCount(count, needed: needed, layout: test.layout.name)
        ) {
          try test.decoded(Array(repeating: 0xEE, count: count), rows: rows, columns: columns)
        }
      }
    }
  }

  /// Every nibble of the metadata in turn is made every value; what is padding may be anything.
  @Test(arguments: MetadataCase.all) func onlyTwoAscendingPlacesAreAccepted(test: MetadataCase)
    throws
  {
    let valid: Set<UInt8> = [0b0100, 0b1000, 0b1001, 0b1100, 0b1101, 0b1110]
    let (rows, columns) = test.shapes[0]
    let mask = try Mask24.random(rows: rows, columns: columns, seed: 4)
    let good = try test.layout.encoded(mask, for: test.type).array
    let places = MetadataReference.nibbles(
      test.layout.name, rows: rows, columns: columns, type: test.type)
    for (index, place) in places.enumerated() where index % 41 == 0 || places.count < 64 {
      for value in 0..<16 as Range<UInt8> {
        var bytes = good
        bytes[index / 2] &= index % 2 == 0 ? 0xF0 : 0x0F
        bytes[index / 2] |= index % 2 == 0 ? value : value << 4
        guard let (row, group) = place else {
          #expect(try test.decoded(bytes, rows: rows, columns: columns) == mask)
          continue
        }
        if valid.contains(value) {
          let decoded = try test.decoded(bytes, rows: rows, columns: columns)
          #expect(decoded.pattern(row: row, group: group).metadata == value)
        } else {
          #expect(throws: MetadataError.invalidNibble(value, row: row, group: group)) {
            try test.decoded(bytes, rows: rows, columns: columns)
          }
        }
      }
    }
  }

  @Test(arguments: MetadataCase.all) func ofSeveralBrokenNibblesTheFirstIsNamed(test: MetadataCase)
    throws
  {
    let unit = try #require(test.layout.multiples(for: test.type))
    let (rows, columns) = (up(200, unit.rows), up(520, unit.columns))
    let mask = try Mask24.random(rows: rows, columns: columns, seed: 4)
    var bytes = try test.layout.encoded(mask, for: test.type).array
    let places = MetadataReference.nibbles(
      test.layout.name, rows: rows, columns: columns, type: test.type)
    let broken = [(rows - 1, 0), (70, columns / 4 - 1), (70, 90), (150, 3)]
    for (index, place) in places.enumerated() {
      guard let place, broken.contains(where: { $0 == place }) else { continue }
      bytes[index / 2] &= index % 2 == 0 ? 0xF0 : 0x0F
    }
    for threads in [1, 3] {
      #expect(throws: MetadataError.invalidNibble(0, row: 70, group: 90)) {
        try test.layout.mask(
          from: ByteView(copying: bytes), rows: rows, columns: columns, type: test.type,
          on: Compute(threads: threads))
      }
    }
  }

  @Test(arguments: MetadataCase.all) func randomBytesAreAMaskOrAnError(test: MetadataCase) throws {
    for seed in 0..<50 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      let (rows, columns) = test.shapes[Int(seed) % test.shapes.count]
      let needed = try test.layout.byteCount(rows: rows, columns: columns, type: test.type)
      let count = seed % 5 == 0 ? Int.random(in: 0...2 * needed, using: &random) : needed
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      do throws(MetadataError) {
        let mask = try test.decoded(bytes, rows: rows, columns: columns)
        #expect(mask.bytes.count == rows * mask.rowBytes)
      } catch {
        switch error {
        case .byteCount: #expect(count != needed)
        case .invalidNibble(let nibble, let row, let group):
          #expect(nibble & 3 >= nibble >> 2 && row < rows && group < columns / 4)
        default: Issue.record("\(error)")
        }
      }
    }
  }

  @Test func theMessagesHaveTheNumbers() {
    let messages: [(MetadataError, String)] = [
      (
        .type(.float32, layout: "cutlass"),
        "cutlass has no 2:4 metadata for float32: of these, sparse tensor cores keep one of two"
      ),
      (.type(.int8, layout: "mma-sp-1"), "mma-sp-1 has no metadata for int8"),
      (
        .size(rows: -1, columns: 6),
        "-1 × 6 has no 2:4 metadata: columns must be a multiple of 4, and neither size negative or beyond 2147483647"
      ),
      (
        .shape(rows: 33, columns: 48, rowMultiple: 32, columnMultiple: 64, layout: "pytorch"),
        "pytorch metadata of 33 × 48: rows must be a multiple of 32 and columns of 64"
      ),
      (
        .byteCount(5, needed: 256, layout: "cutlass"),
        "cutlass: 5 bytes, but a weight of this shape has 256"
      ),
      (
        .invalidNibble(0b0111, row: 3, group: 9),
        "metadata of row 3, group 9: 3 and 1 are not two ascending places"
      ),
    ]
    for (error, message) in messages { #expect("\(error)" == message) }
  }

  private func up(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size * size }
}

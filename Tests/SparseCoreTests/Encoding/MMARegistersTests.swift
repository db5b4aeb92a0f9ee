import SparseCore
import Testing

@Suite struct MMARegistersTests {
  @Test(arguments: [
    (ScalarType.float16, 0, 32), (.bfloat16, 0, 32), (.float16, 1, 32), (.bfloat16, 1, 32),
    (.int8, 0, 64),
  ]) func theMatrixIsItsTilesOneAfterTheOther(type: ScalarType, selector: Int, width: Int) throws {
    let mask = try Mask24.random(rows: 48, columns: 3 * width, seed: 8)
    var tiles: [UInt8] = []
    for row in stride(from: 0, to: 48, by: 16) {
      for column in stride(from: 0, to: mask.columns, by: width) {
        for register in try mask.mmaRegisters(
          row: row, column: column, type: type, selector: selector)
        {
          tiles += withUnsafeBytes(of: register.littleEndian) { Array($0) }
        }
      }
    }
    let bytes = try MetadataLayout.mma(selector: selector).encoded(mask, for: type)
    #expect(bytes.array == tiles)
  }

  /// Weights 0 and 1 are kept everywhere, but 2 and 3 in group 5 of row 9.
  private func mask(columns: Int) throws -> Mask24 {
    var scores = Matrix(rows: 16, columns: columns)
    (scores[9, 22], scores[9, 23]) = (1, 1)
    return try Mask24(keepingLargest: scores)
  }

  @Test(arguments: [0, 1]) func eightRowsFurtherIsTheUpperHalfForHalves(selector: Int) throws {
    let registers = try mask(columns: 32).mmaRegisters(
      row: 0, column: 0, type: .float16, selector: selector)
    #expect(registers.count == 32)
    for (lane, register) in registers.enumerated() {
      let isRead = lane % 4 / 2 == selector
      let special = lane == 4 + 2 * selector + 1
      #expect(register == (special ? 0x44E4_4444 : isRead ? 0x4444_4444 : 0), "lane \(lane)")
    }
  }

  @Test func eightRowsFurtherIsTheNextLaneForBytes() throws {
    let registers = try mask(columns: 64).mmaRegisters(
      row: 0, column: 0, type: .int8, selector: 0)
    #expect(registers.count == 32)
    for (lane, register) in registers.enumerated() {
      #expect(register == (lane == 5 ? 0x44E4_4444 : 0x4444_4444), "lane \(lane)")
    }
  }

  @Test func aTileMayStartAtAnyGroup() throws {
    let mask = try Mask24.random(rows: 20, columns: 44, seed: 3)
    let tile = try mask.mmaRegisters(row: 4, column: 12, type: .bfloat16, selector: 0)
    for row in 0..<16 {
      for group in 0..<8 {
        let register = tile[row % 8 * 4 + group / 4]
        let nibble = register >> (row / 8 * 16 + group % 4 * 4) & 0xF
        #expect(nibble == mask.pattern(row: 4 + row, group: 3 + group).metadata)
      }
    }
  }

  @Test func typesWithoutSuchAnInstructionAreRefused() throws {
    let mask = try Mask24.random(rows: 16, columns: 64, seed: 3)
    for selector in [0, 1] {
      #expect(throws: MetadataError.type(.float32, layout: "mma-sp-\(selector)")) {
        try mask.mmaRegisters(row: 0, column: 0, type: .float32, selector: selector)
      }
    }
    #expect(throws: MetadataError.type(.int8, layout: "mma-sp-1")) {
      try mask.mmaRegisters(row: 0, column: 0, type: .int8, selector: 1)
    }
  }
}

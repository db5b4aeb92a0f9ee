import SparseCore

/// The layouts of metadata read from the consumer's side: which group a nibble of the metadata is.
enum MetadataReference {
  /// The metadata of a mask, nibble after nibble.
  static func encoded(_ mask: Mask24, _ layout: MetadataLayout, for type: ScalarType) -> [UInt8] {
    let nibbles = Self.nibbles(layout.name, rows: mask.rows, columns: mask.columns, type: type)
    let padding: UInt8 = layout.name == "cusparselt" ? 0b1110 : 0
    let values = nibbles.map { place -> UInt8 in
      guard let (row, group) = place else { return padding }
      let kept = (0..<4).filter { mask.keeps(row: row, column: 4 * group + $0) }
      return UInt8(kept[0] | kept[1] << 2)
    }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] | values[$0 + 1] << 4 }
  }

  /// The row and group of each nibble; nil for padding.
  static func nibbles(
    _ layout: String, rows: Int, columns: Int, type: ScalarType
  ) -> [(row: Int, group: Int)?] {
    let groups = columns / 4
    let count: Int
    let place: (Int) -> (row: Int, group: Int)
    switch (layout, type) {
    case ("logical", _):
      let even = (groups + 1) / 2 * 2
      (count, place) = (rows * even, { ($0 / even, $0 % even) })
    case ("cutlass", .int8), ("pytorch", .int8):
      (count, place) = (rows * groups, { cutlassInt32($0, rows: rows) })
    case ("cutlass", _), ("pytorch", _):
      (count, place) = (rows * groups, { cutlassInt16($0, rows: rows) })
    case ("mma-sp-0", .int8):
      (count, place) = (rows * groups, { m16n8k64($0, tiles: columns / 64) })
    case ("mma-sp-0", _):
      (count, place) = (2 * rows * groups, { m16n8k32($0, selector: 0, tiles: columns / 32) })
    case ("mma-sp-1", _):
      (count, place) = (2 * rows * groups, { m16n8k32($0, selector: 1, tiles: columns / 32) })
    case ("cusparselt", .int8):
      count = up(rows, 64) * up(columns, 64) / 4
      place = { cuSPARSELtOfBytes($0, groups: up(columns, 64) / 4) }
    case ("cusparselt", _):
      count = max(up(rows, 64) * up(columns, 32), up(rows, 32) * up(columns, 64)) / 4
      place = { cuSPARSELtOfHalves($0, groups: up(columns, 32) / 4) }
    default: return []
    }
    return (0..<count).map { index in
      let (row, group) = place(index)
      return row >= 0 && row < rows && group < groups ? (row, group) : nil
    }
  }

  private static func cutlassInt16(_ index: Int, rows: Int) -> (row: Int, group: Int) {
    let (pair, word) = (index / 4 / (2 * rows), index / 4 % (2 * rows))
    let row = word / 64 * 32 + (word >> 2 & 1) * 16 + (word & 1) * 8 + (word >> 3 & 7)
    return (row, (2 * pair + (word >> 1 & 1)) * 4 + index % 4)
  }

  private static func cutlassInt32(_ index: Int, rows: Int) -> (row: Int, group: Int) {
    let (pair, word) = (index / 8 / (2 * rows), index / 8 % (2 * rows))
    let row = word / 32 * 16 + (word & 1) * 8 + (word >> 2 & 7)
    return (row, (2 * pair + (word >> 1 & 1)) * 8 + index % 8)
  }

  /// Row −1 where a lane's register is not looked at.
  private static func m16n8k32(
    _ index: Int, selector: Int, tiles: Int
  ) -> (row: Int, group: Int) {
    let (tile, lane, j) = (index / 256, index / 8 % 32, index % 8)
    let (g, q) = (lane >> 2, lane & 3)
    guard q == 2 * selector || q == 2 * selector + 1 else { return (-1, 0) }
    let h = q - 2 * selector
    return (tile / tiles * 16 + (j < 4 ? g : g + 8), tile % tiles * 8 + 4 * h + j % 4)
  }

  private static func m16n8k64(_ index: Int, tiles: Int) -> (row: Int, group: Int) {
    let (tile, lane, j) = (index / 256, index / 8 % 32, index % 8)
    let (g, q) = (lane >> 2, lane & 3)
    return (tile / tiles * 16 + g + 8 * (q & 1), tile % tiles * 16 + 8 * (q >> 1) + j)
  }

  private static func cuSPARSELtOfHalves(_ index: Int, groups: Int) -> (row: Int, group: Int) {
    let (block, i) = (index / (64 * groups), index % (64 * groups))
    let row = block * 64 + (i >> 7 & 3) * 16 + (i & 1) * 8 + (i >> 4 & 7)
    return (row, i / 512 * 8 + (i >> 1 & 1) * 4 + (i >> 2 & 3))
  }

  private static func cuSPARSELtOfBytes(_ index: Int, groups: Int) -> (row: Int, group: Int) {
    let (block, i) = (index / (64 * groups), index % (64 * groups))
    let row = block * 64 + (i >> 8 & 3) * 16 + (i >> 1 & 1) * 8 + (i >> 5 & 7)
    return (row, i / 1024 * 16 + (i >> 2 & 1) * 8 + (i >> 3 & 3) * 2 + (i & 1))
  }

  private static func up(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size * size }
}

extension Mask24 {
  /// A mask of random patterns.
  static func random(rows: Int, columns: Int, seed: UInt64) throws -> Mask24 {
    var random = SplitMix64(seed: seed)
    return try Mask24(
      keepingLargest: Matrix(
        rows: rows, columns: columns,
        (0..<rows * columns).map { _ in Float(random.uniform()) }))
  }
}

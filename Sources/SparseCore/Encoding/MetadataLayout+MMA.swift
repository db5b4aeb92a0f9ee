extension MetadataLayout {
  /// The metadata registers of PTX `mma.sp` for one tile after the other, along a row of tiles first.
  ///
  /// A tile of float16 and bfloat16 is the 16 × 32 weights of `m16n8k32`, of INT8 the 16 × 64 of
  /// `m16n8k64`. Each has 32 words of four bytes, the registers of lanes 0 to 31: see
  /// ``Mask24/mmaRegisters(row:column:type:selector:)``.
  ///
  /// - Parameter selector: the instruction's sparsity selector, 0 or 1; INT8 has only 0.
  public static func mma(selector: Int) -> MetadataLayout {
    precondition(selector == 0 || selector == 1, "mma.sp: the selector \(selector) is not 0 or 1")
    return MetadataLayout(
      name: "mma-sp-\(selector)", filler: .compressedTensors,
      multiples: { type in
        switch type {
        case .float16, .bfloat16: (16, 32)
        case .int8: selector == 0 ? (16, 64) : nil
        case .float32: nil
        }
      },
      order: { rows, columns, type in
        type == .int8
          ? mmaK64(rows: rows, columns: columns)
          : mmaK32(rows: rows, columns: columns, selector: selector)
      })
  }

  /// The nibbles of a tile: 32 registers of eight.
  private static let mmaTile = 256

  /// Lane `4g + 2 · selector + h` has groups `4h` to `4h + 3` of row `g` in its lower half and of row `g + 8` in its upper.
  private static func mmaK32(rows: Int, columns: Int, selector: Int) -> NibbleOrder {
    let tiles = columns / 32
    return NibbleOrder(
      byteCount: rows / 16 * tiles * mmaTile / 2,
      row: { $0 / 16 * tiles * mmaTile + ($0 % 8 * 4 + selector * 2) * 8 + $0 / 8 % 2 * 4 },
      group: { $0 / 8 * mmaTile + $0 / 4 % 2 * 8 + $0 % 4 })
  }

  /// Lane `4g + 2h + u` has groups `8h` to `8h + 7` of row `g + 8u`.
  private static func mmaK64(rows: Int, columns: Int) -> NibbleOrder {
    let tiles = columns / 64
    return NibbleOrder(
      byteCount: rows / 16 * tiles * mmaTile / 2,
      row: { $0 / 16 * tiles * mmaTile + ($0 % 8 * 4 + $0 / 8 % 2) * 8 },
      group: { $0 / 16 * mmaTile + $0 / 8 % 2 * 16 + $0 % 8 })
  }
}

extension Mask24 {
  /// The metadata operand `e` of PTX `mma.sp` in each of the 32 lanes of a warp, for the tile whose first weight is at `row` and `column`.
  ///
  /// For float16 and bfloat16 the tile is the 16 × 32 weights of `m16n8k32`, where two of each four lanes
  /// supply the metadata: those with `lane % 4` of 0 and 1 for selector 0, of 2 and 3 for selector 1. The
  /// registers of the others are 0 and could hold that of another tile. For INT8 it is the 16 × 64 of
  /// `m16n8k64`, with all lanes. Group `j` of a register's eight is at bits `4j`, with its indices
  /// ascending, as `.sp::ordered_metadata` asks for.
  ///
  /// - Throws: ``MetadataError/type(_:layout:)`` for float32, and for INT8 with selector 1.
  public func mmaRegisters(
    row: Int, column: Int, type: ScalarType, selector: Int
  ) throws(MetadataError) -> [UInt32] {
    let layout = MetadataLayout.mma(selector: selector)
    guard let tile = layout.multiples(for: type) else { throw .type(type, layout: layout.name) }
    precondition(
      column % 4 == 0 && row >= 0 && column >= 0 && row + tile.rows <= rows
        && column + tile.columns <= columns,
      "mma.sp: the \(tile.rows) × \(tile.columns) tile at [\(row), \(column)] of \(rows) × \(columns)"
    )
    let order = try layout.nibbles(rows: tile.rows, columns: tile.columns, type: type)
    var registers = [UInt32](repeating: 0, count: 32)
    for y in 0..<tile.rows {
      for group in 0..<tile.columns / 4 {
        let place = order.row(y) + order.group(group)
        let nibble = pattern(row: row + y, group: column / 4 + group).metadata
        registers[place / 8] |= UInt32(nibble) << (place % 8 * 4)
      }
    }
    return registers
  }
}

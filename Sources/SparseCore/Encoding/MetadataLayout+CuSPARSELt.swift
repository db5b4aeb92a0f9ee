extension MetadataLayout {
  /// The metadata part of cuSPARSELt's blobs, as measured with 0.8.0 on an H100; see ``CuSPARSELtBlob``.
  ///
  /// It is padded to whole blocks of 64 rows, and of 32 columns (64 for INT8); padding is `0b1110`.
  public static let cuSPARSELt = MetadataLayout(
    name: "cusparselt", filler: .cuSPARSELt,
    multiples: { type in
      switch type {
      case .float16, .bfloat16: (16, 16)
      case .int8: (32, 32)
      case .float32: nil
      }
    },
    order: { rows, columns, type in
      type == .int8
        ? cuSPARSELtOrderOfBytes(rows: rows, columns: columns)
        : cuSPARSELtOrderOfHalves(rows: rows, columns: columns)
    })

  /// The order for values of 16 bits.
  private static func cuSPARSELtOrderOfHalves(rows: Int, columns: Int) -> NibbleOrder {
    let blockNibbles = 64 * rounded(columns, to: 32) / 4
    return NibbleOrder(
      byteCount: max(
        rounded(rows, to: 64) * rounded(columns, to: 32),
        rounded(rows, to: 32) * rounded(columns, to: 64)) / 8,
      padding: 0b1110,
      row: { row in
        row / 64 * blockNibbles + row / 16 % 4 * 128 + row % 8 * 16 + row / 8 % 2
      },
      group: { group in group / 8 * 512 + group % 4 * 4 + group / 4 % 2 * 2 })
  }

  /// The order for values of 8 bits.
  private static func cuSPARSELtOrderOfBytes(rows: Int, columns: Int) -> NibbleOrder {
    let blockNibbles = 64 * rounded(columns, to: 64) / 4
    return NibbleOrder(
      byteCount: rounded(rows, to: 64) * rounded(columns, to: 64) / 8,
      padding: 0b1110,
      row: { row in
        row / 64 * blockNibbles + row / 16 % 4 * 256 + row % 8 * 32 + row / 8 % 2 * 2
      },
      group: { group in
        group / 16 * 1024 + group / 2 % 4 * 8 + group / 8 % 2 * 4 + group % 2
      })
  }

  /// The next multiple of `size` that is not below `count`.
  private static func rounded(_ count: Int, to size: Int) -> Int {
    (count + size - 1) / size * size
  }
}

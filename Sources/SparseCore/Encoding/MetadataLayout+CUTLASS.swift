extension MetadataLayout {
  /// The order of CUTLASS 2.x on SM80, which PyTorch's CUTLASS back end takes, for any shape that the order allows.
  ///
  /// A word is four groups of a row in an int16 for float16 and bfloat16, and eight in an int32 for INT8,
  /// the first at the lowest bits. `reorder_meta` of CUTLASS's `host_reorder.h` together with
  /// `ColumnMajorInterleaved<2>` takes pairs of columns of words one after the other, and within such a
  /// pair mixes the words of 32 rows (16 for INT8). Hence rows are a multiple of these, and columns of
  /// two words. Hopper's own kernels (SM90) take another order.
  public static let cutlass = MetadataLayout(
    name: "cutlass", filler: .pyTorch,
    multiples: { type in
      switch type {
      case .float16, .bfloat16: (32, 32)
      case .int8: (16, 64)
      case .float32: nil
      }
    }, order: cutlassOrder)

  /// The same bytes, for the shapes that PyTorch's `SparseSemiStructuredTensorCUTLASS` takes.
  ///
  /// It asks for more than the order does: columns of float16 and bfloat16 must be a multiple of 64, and
  /// of INT8 of 128.
  public static let pyTorch = MetadataLayout(
    name: "pytorch", filler: .pyTorch,
    multiples: { type in
      switch type {
      case .float16, .bfloat16: (32, 64)
      case .int8: (16, 128)
      case .float32: nil
      }
    }, order: cutlassOrder)

  /// The size of the integers that ``cutlass`` metadata is made of: 2 bytes for float16 and bfloat16, 4 for INT8.
  ///
  /// PyTorch's tensor of them has as many rows as the weight and `columns / (8 · size)` columns.
  public static func cutlassWordBytes(for type: ScalarType) -> Int { type == .int8 ? 4 : 2 }

  @Sendable private static func cutlassOrder(
    rows: Int, columns: Int, type: ScalarType
  ) -> NibbleOrder {
    let word = 2 * cutlassWordBytes(for: type)
    return NibbleOrder(
      byteCount: rows * columns / 8,
      row: { row in
        let within =
          type == .int8
          ? row / 16 * 32 + row % 8 * 4
          : row / 32 * 64 + row % 8 * 8 + row / 16 % 2 * 4
        return word * (within + row / 8 % 2)
      },
      group: { group in
        let column = group / word
        return word * (column / 2 * 2 * rows + column % 2 * 2) + group % word
      })
  }
}

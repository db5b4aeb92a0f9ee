extension MetadataLayout {
  /// The nibbles in the order of the groups: group `j` of a row at bits `4j` of the row's little-endian words.
  ///
  /// A row starts on a byte. Any shape of whole groups, any type; all others are reorderings of this.
  public static let logical = MetadataLayout(
    name: "logical", filler: .compressedTensors, multiples: { _ in (1, 4) }
  ) { rows, columns, _ in
    let rowBytes = Mask24.rowBytes(columns: columns)
    return NibbleOrder(
      byteCount: rows * rowBytes, row: { $0 * rowBytes * 2 }, group: { $0 })
  }
}

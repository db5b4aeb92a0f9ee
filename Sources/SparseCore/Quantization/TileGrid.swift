/// The scales of an INT8 grid as tile kernels read them: those of 48 rows side by side.
struct TileGrid {
  private let grid: Int8Grid
  private let values = AlignedFloats(count: TilePanels.tileSize)

  init(_ grid: Int8Grid) { self.grid = grid }

  /// The scales of up to 48 rows and columns, valid until the next call; 1 for rows that are not there.
  func scales(rows: Range<Int>, columns: Range<Int>) -> TileScales {
    let width = KernelSet.panelWidth
    let steps = grid.isPerChannel ? 1 : columns.count
    values.pointer.update(repeating: 1, count: steps * width)
    for step in 0..<steps {
      let group = (columns.lowerBound + step) / grid.groupSize
      for (place, row) in rows.enumerated() {
        values.pointer[step * width + place] = grid.scales[row * grid.groups + group]
      }
    }
    return TileScales(pointer: values.pointer, columnStep: grid.isPerChannel ? 0 : width)
  }
}

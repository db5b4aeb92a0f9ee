/// Some rows of a matrix turned on their sides: panels of 48 rows, column after column, padded to whole tiles.
///
/// So the columns of a row are what the rows of a triangular factor are multiplied with, and 48 rows go
/// through every step together.
struct RowPanels: Sendable {
  private let range: Range<Int>
  private let rows: Int
  private let columns: Int
  private let kernels: KernelSet
  private let values: AlignedFloats
  private let tiles: Int

  /// Uninitialised panels: those of `range` among all that a matrix of `rows × columns` has.
  init(_ range: Range<Int>, rows: Int, columns: Int, kernels: KernelSet) {
    self.range = range
    self.rows = rows
    self.columns = columns
    self.kernels = kernels
    tiles = KernelSet.panels(for: columns)
    values = AlignedFloats(count: range.count * tiles * TilePanels.tileSize)
  }

  /// Where each panel begins: its column 0.
  var panels: [UnsafeMutablePointer<Float>] {
    range.indices.map {
      values.pointer + ($0 - range.lowerBound) * tiles * TilePanels.tileSize
    }
  }

  /// The matrix's rows that a panel holds.
  func rowRange(_ panel: Int) -> Range<Int> {
    let start = (range.lowerBound + panel) * KernelSet.panelWidth
    return start..<min(rows, start + KernelSet.panelWidth)
  }

  /// Takes the rows from the matrix that begins at `matrix`; the padding becomes 0.
  func read(_ matrix: UnsafePointer<Float>) {
    let width = KernelSet.panelWidth
    for (index, panel) in panels.enumerated() {
      let rows = rowRange(index)
      kernels.pack(
        outputs: rows.count, inputs: columns, .float32, matrix + rows.lowerBound * columns,
        rowBytes: 4 * columns, into: panel)
      (panel + columns * width).update(
        repeating: 0, count: tiles * TilePanels.tileSize - columns * width)
    }
  }

  /// Subtracts the values of other panels of the same rows.
  func subtract(_ other: RowPanels) {
    kernels.axpy(values.count, -1, other.values.pointer, values.pointer)
  }

  /// Sets every value to 0.
  func clear() { values.pointer.update(repeating: 0, count: values.count) }

  /// Sets one column of every row to 0.
  func clear(column: Int) {
    for panel in panels {
      (panel + column * KernelSet.panelWidth).update(repeating: 0, count: KernelSet.panelWidth)
    }
  }

  /// Puts the rows back into the matrix that begins at `matrix`.
  func write(_ matrix: UnsafeMutablePointer<Float>) {
    let width = KernelSet.panelWidth
    AlignedFloats.withScratch(count: TilePanels.tileSize) { scratch in
      for (index, panel) in panels.enumerated() {
        for column in stride(from: 0, to: columns, by: width) {
          kernels.transposeTile(panel + column * width, into: scratch)
          for (place, row) in rowRange(index).enumerated() {
            (matrix + row * columns + column).update(
              from: scratch + place * width, count: min(width, columns - column))
          }
        }
      }
    }
  }
}

/// Some rows of a layer on their way through a solver: what they are now, how far that is from what they were, and what is kept.
///
/// Rows do not know of each other, so every piece of rows goes through all steps by itself.
struct SolverRows: Sendable {
  /// The layer, counted among those that are solved together.
  let layer: Int
  /// The rows' panels among those of the layer.
  let range: Range<Int>
  /// V, the weights as they are now.
  let weights: RowPanels
  /// W − V, how far they are from the original weights.
  let errors: RowPanels
  /// What is kept, tile by tile as the kernels write it.
  private let masks: TileMasks

  private let rows: Int
  private let columns: Int

  init(layer: Int, range: Range<Int>, rows: Int, columns: Int, kernels: KernelSet) {
    self.layer = layer
    self.range = range
    self.rows = rows
    self.columns = columns
    weights = RowPanels(range, rows: rows, columns: columns, kernels: kernels)
    errors = RowPanels(range, rows: rows, columns: columns, kernels: kernels)
    masks = TileMasks(count: range.count * KernelSet.panels(for: columns))
  }

  /// Panels for something else about the same rows, uninitialised.
  func panels(kernels: KernelSet) -> RowPanels {
    RowPanels(range, rows: rows, columns: columns, kernels: kernels)
  }

  /// The columns of a tile.
  func columns(ofTile tile: Int) -> Range<Int> {
    let start = tile * KernelSet.panelWidth
    return start..<min(columns, start + KernelSet.panelWidth)
  }

  /// The mask bytes of a tile: one for each 8 of 48 columns of each of 48 rows.
  func mask(panel: Int, tile: Int) -> UnsafeMutablePointer<UInt8> {
    masks.pointer
      + (panel * KernelSet.panels(for: columns) + tile) * KernelSet.tileMaskBytes
  }

  /// Moves the mask between the tiles and the bytes of a ``Mask24`` of the whole layer.
  private func forEachMaskByte(
    _ body: (_ tile: UnsafeMutablePointer<UInt8>, _ index: Int) -> Void
  ) {
    let rowBytes = Mask24.rowBytes(columns: columns)
    for panel in range.indices.map({ $0 - range.lowerBound }) {
      for byte in 0..<rowBytes {
        let tileBytes = KernelSet.panelWidth / 8
        let tile = mask(panel: panel, tile: byte / tileBytes)
        for (place, row) in weights.rowRange(panel).enumerated() {
          body(tile + byte % tileBytes * KernelSet.panelWidth + place, row * rowBytes + byte)
        }
      }
    }
  }

  /// Takes the mask from the bytes of a ``Mask24``.
  func readMask(_ bytes: UnsafePointer<UInt8>) {
    masks.clear()
    forEachMaskByte { $0.pointee = bytes[$1] }
  }

  /// Writes the mask to the bytes of a ``Mask24``.
  func writeMask(_ bytes: UnsafeMutablePointer<UInt8>) {
    forEachMaskByte { bytes[$1] = $0.pointee }
  }
}

/// The mask bytes of some tiles.
private final class TileMasks: Sendable {
  nonisolated(unsafe) let pointer: UnsafeMutablePointer<UInt8>
  private let count: Int

  init(count: Int) {
    self.count = count * KernelSet.tileMaskBytes
    pointer = .allocate(capacity: max(1, self.count))
    clear()
  }

  func clear() { pointer.update(repeating: 0, count: count) }

  deinit { pointer.deallocate() }
}

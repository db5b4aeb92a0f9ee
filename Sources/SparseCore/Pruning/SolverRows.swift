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

/// The rows of all layers that are solved together, in pieces for the threads.
struct SolverStage: Sendable {
  /// All pieces, layer after layer.
  let pieces: [SolverRows]
  private let originals: [Matrix]
  private let deadInputs: [Int]
  private let compute: Compute

  /// The rows as they are: no errors yet, and nothing masked.
  ///
  /// - Parameter deadInputs: columns of weights without influence; they become 0.
  init(_ weights: [Matrix], inputs: Int, deadInputs: [Int], on compute: Compute) {
    self.compute = compute
    self.deadInputs = deadInputs
    originals = weights
    pieces = weights.enumerated().flatMap { layer, weight in
      TilePanels.pieces(of: KernelSet.panels(for: weight.rows), threads: compute.threads).map {
        SolverRows(
          layer: layer, range: $0, rows: weight.rows, columns: inputs, kernels: compute.kernels)
      }
    }
    let stage = self
    forEachPiece { piece in
      stage.readOriginal(of: piece, into: piece.weights)
      piece.errors.clear()
    }
  }

  private func readOriginal(of piece: SolverRows, into panels: RowPanels) {
    originals[piece.layer].values.withUnsafeBufferPointer { panels.read($0.start) }
    for input in deadInputs { panels.clear(column: input) }
  }

  /// Gives a piece other weights than its own, those of a matrix of its layer's shape.
  func replaceWeights(of piece: SolverRows, by weights: Matrix) {
    weights.values.withUnsafeBufferPointer { piece.weights.read($0.start) }
  }

  /// Sets the errors of a piece to what its weights are now.
  func updateErrors(of piece: SolverRows) {
    readOriginal(of: piece, into: piece.errors)
    piece.errors.subtract(piece.weights)
  }

  /// Calls `body` with every piece, on all threads.
  func forEachPiece(_ body: @Sendable (SolverRows) -> Void) {
    Parallel.forEach(pieces.count, threads: compute.threads) { body(pieces[$0]) }
  }

  /// The layers' weights as they are now.
  var weights: [Matrix] {
    originals.indices.map { layer in
      Matrix(rows: originals[layer].rows, columns: originals[layer].columns) { out in
        nonisolated(unsafe) let to = out.start
        let own = pieces.filter { $0.layer == layer }
        Parallel.forEach(own.count, threads: compute.threads) { own[$0].weights.write(to) }
      }
    }
  }

  /// The layers' masks.
  var masks: [Mask24] {
    originals.indices.map { layer in
      let (rows, columns) = (originals[layer].rows, originals[layer].columns)
      var bytes = [UInt8](repeating: 0, count: rows * Mask24.rowBytes(columns: columns))
      bytes.withUnsafeMutableBufferPointer { bytes in
        for piece in pieces where piece.layer == layer { piece.writeMask(bytes.start) }
      }
      return Mask24(rows: rows, columns: columns, bytes: bytes)
    }
  }
}

/// What a method takes of memory for layers that share their inputs, beside the gram: upper bounds.
package struct SolverBytes: Sendable, Equatable {
  /// Whatever the number of rows: factors and the gram in other shapes.
  package var fixed = 0
  /// For each panel of 48 rows that are solved together.
  package var perPanel: Int
  /// For each thread.
  package var perThread: Int
  /// Whether every batch of rows costs as much as the first for what the inputs alone ask for.
  package var repeatsForBatches = false

  /// What magnitude and wanda take, which look at the rows alone.
  private init(valuesPerWeight: Int, inputs: Int) {
    let width = KernelSet.panels(for: inputs) * KernelSet.panelWidth
    perPanel = KernelSet.panelWidth * (4 * valuesPerWeight * width + width)
    // Sums and changes of the rows of a piece, and what passes over rows work in.
    perThread = 4 * KernelSet.panelWidth * width * 10
  }

  /// What a method takes.
  ///
  /// Rows are there as they were, as they become and as they are handed on, and a search keeps products and
  /// duals as well. On an INT8 grid they are there once more and as codes.
  package init(_ method: PruningMethod, isInt8: Bool, inputs: Int) {
    let panels = KernelSet.panels(for: inputs)
    let inverses = 2 * 4 * TilePanels.tileSize * panels
    let extra = isInt8 ? 3 : 0
    switch method {
    case .sparseGPT:
      self.init(valuesPerWeight: 4 + extra, inputs: inputs)
      fixed = TilePanels.byteCount(.lower, count: panels) + inverses
    case .admm:
      self.init(valuesPerWeight: 6 + extra, inputs: inputs)
      fixed =
        max(
          2 * TilePanels.byteCount(.lower, count: panels),
          TilePanels.byteCount(.full, count: panels)) + inverses
      repeatsForBatches = true
    default: self.init(valuesPerWeight: 5 + extra, inputs: inputs)
    }
  }

  /// What a repair of layers that are 2:4 already takes.
  package init(refitOf inputs: Int, isInt8: Bool) {
    self.init(valuesPerWeight: 5 + (isInt8 ? 3 : 0), inputs: inputs)
    fixed = TilePanels.byteCount(.full, count: KernelSet.panels(for: inputs))
  }
}

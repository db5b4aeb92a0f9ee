/// Improves pruned weights group by group: each takes the pair of weights with the least output error while all others are held.
///
/// For each of the six patterns the best two values are the solution of a 2 × 2 system, and the pattern with
/// the largest gain is taken; so the error never rises but by rounding. With the mask held it repairs the
/// weights of any pruned layer. The sums (W − V) G of a block of columns are formed anew from the errors
/// when the sweep comes to it: one product a sweep, and no residual that drifts.
struct CoordinateDescent: Sendable {
  /// The dampened gram, whole.
  private let gram: TilePanels
  private let kernels: KernelSet

  /// What may change.
  enum Freedom {
    /// The pattern of each group and its values.
    case pattern
    /// The values of what the mask keeps; on a grid where there is one.
    case values(grid: Int8Grid?)
  }

  init(_ gram: TilePanels, kernels: KernelSet) {
    self.gram = gram
    self.kernels = kernels
  }

  /// One sweep over the columns of some rows, from the first to the last.
  func sweep(_ rows: SolverRows, changing freedom: Freedom) {
    let updates = PanelUpdates(coefficients: gram, kernels: kernels)
    let (sums, changes) = (rows.panels(kernels: kernels), rows.panels(kernels: kernels))
    sums.clear()
    var (isFixed, grid): (Bool, TileGrid?) = (false, nil)
    if case .values(let given) = freedom { (isFixed, grid) = (true, given.map(TileGrid.init)) }
    for block in TilePanels.blocks(count: gram.count) {
      updates.accumulate(
        0..<gram.count, of: rows.errors.panels, into: block, of: sums.panels)
      for tile in block {
        updates.accumulate(
          block.lowerBound..<tile, of: changes.panels, into: tile..<tile + 1, of: sums.panels)
        let columns = rows.columns(ofTile: tile)
        let place = tile * TilePanels.tileSize
        for (index, panel) in rows.weights.panels.enumerated() {
          kernels.descendTile(
            columns: columns.count, gram: gram.tile(tile, tile), weights: panel + place,
            errors: rows.errors.panels[index] + place, sums: sums.panels[index] + place,
            changes: changes.panels[index] + place, mask: rows.mask(panel: index, tile: tile),
            isFixed: isFixed,
            scales: grid?.scales(rows: rows.weights.rowRange(index), columns: columns))
        }
      }
    }
  }
}

/// Prunes column by column and lets the columns to the right make up for the error of those to the left.
///
/// Frantar & Alistarh 2023, arXiv 2301.00774, algorithm 1 with 2:4 groups and the mask chosen group by group.
/// The published form inverts the dampened gram and factors the inverse, whose upper factor is R⁻¹ for the
/// reversed Cholesky factorisation G = R Rᵀ. So no inverse is needed: with the errors E = W − Ŵ against the
/// original weights, the weights that the published algorithm has when it reaches column j are
/// W_j + (Σ_{k<j} E_k R_kj) / R_jj, and its scores w² / (R⁻¹)²_jj are w² R²_jj. Masks and weights are the
/// same but for rounding, at a quarter of the cost of its factorisations.
///
/// Of equal scores the lower column is kept. Inputs that are always 0 lose their weights.
public struct SparseGPT: SolvingPruner {
  /// The gram of the inputs.
  public let needs = StatisticsKind.gram

  /// The method with its published dampening.
  public init() {}

  /// Bytes for the rows, the factor and the inverses of its tiles.
  public func scratch(inputs: Int, isInt8: Bool) -> SolverBytes {
    let panels = KernelSet.panels(for: inputs)
    var bytes = SolverBytes(valuesPerWeight: 4, inputs: inputs, isInt8: isInt8)
    bytes.fixed =
      TilePanels.byteCount(.lower, count: panels) + SolverBytes.inverses(panels: panels)
    return bytes
  }

  /// Factors the gram, for all layers with these inputs.
  ///
  /// Where no dampening makes it positive definite, the layers are pruned by ``Wanda`` and say so.
  public func solver(
    for inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> any LayerSolver {
    guard let (gram, factor) = try DampenedGram.factored(inputs, on: compute) else {
      return WandaFallback(inputs)
    }
    return SparseGPTSolver(gram: gram, sweep: SparseGPTSweep(factor, on: compute))
  }
}

extension PruningMethod {
  /// Keep what costs the output least, column by column, and let the later weights make up for it.
  public static let sparseGPT = PruningMethod("sparsegpt") { _ in SparseGPT() }
}

/// SparseGPT for layers that share the factor of their gram.
private struct SparseGPTSolver: LayerSolver {
  let gram: DampenedGram
  let sweep: SparseGPTSweep

  func prune(
    _ weights: [Matrix], onto rule: Int8Rule?, on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    // The scales are those of the dense rows: what a row will be is known only when its columns are on the grid.
    let grids = try weights.mapLayers { weight throws(PruningError) in
      try weight.check(inputs: gram.inputs, on: compute)
      return try rule?.grid(for: weight, on: compute)
    }
    let stage = SolverStage(
      weights, inputs: gram.inputs, deadInputs: gram.deadInputs, on: compute)
    stage.forEachPiece { sweep.prune($0, grid: grids[$0.layer]) }
    return try stage.pruned(dampening: gram.dampening, grids: grids, on: compute)
  }
}

/// One pass of SparseGPT over the columns of some rows.
struct SparseGPTSweep: Sendable {
  /// R, in panels of its columns.
  private let factor: TilePanels
  private let kernels: KernelSet

  /// - Parameter factor: the reversed Cholesky factor of the dampened gram, whose place it takes.
  init(_ factor: consuming Cholesky, on compute: Compute) {
    self.factor = factor.upperInPlace(on: compute)
    kernels = compute.kernels
  }

  /// Prunes rows, 48 to a panel, from their first column to their last; onto a grid where there is one.
  ///
  /// The errors of finished blocks of columns reach a block by rank-k updates, those within the block
  /// tile by tile; what happens in a tile is one kernel.
  func prune(_ rows: SolverRows, grid: Int8Grid?) {
    let grid = grid.map(TileGrid.init)
    let sums = rows.errors.panels  // a column's sums become its errors
    let updates = PanelUpdates(coefficients: factor, kernels: kernels)
    for block in TilePanels.blocks(count: factor.count) {
      updates.accumulate(0..<block.lowerBound, into: block, of: sums)
      for tile in block {
        updates.accumulate(block.lowerBound..<tile, into: tile..<tile + 1, of: sums)
        let columns = rows.columns(ofTile: tile)
        let place = tile * TilePanels.tileSize
        for (index, panel) in rows.weights.panels.enumerated() {
          kernels.pruneTile(
            columns: columns.count, factor: factor.tile(tile, tile), weights: panel + place,
            sums: sums[index] + place, mask: rows.mask(panel: index, tile: tile),
            scales: grid?.scales(rows: rows.weights.rowRange(index), columns: columns))
        }
      }
    }
  }
}

/// What becomes of layers whose gram cannot be factored.
struct WandaFallback: LayerSolver {
  private let inputs: InputStatistics

  init(_ inputs: InputStatistics) { self.inputs = inputs }

  func prune(
    _ weights: [Matrix], onto rule: Int8Rule?, on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    let largest = DampenedGram.dampenings.max() ?? 0
    return try weights.mapLayers { weight throws(PruningError) in
      var pruned = try Wanda().prune(weight, inputs: inputs, on: compute)
      if let rule { pruned = try pruned.quantized(by: rule, on: compute) }
      pruned.fallback = PrunedWeight.Fallback(
        method: .wanda, reason: .notPositiveDefinite(dampening: largest))
      return pruned
    }
  }
}

extension Matrix {
  /// Throws where a weight is not fit for a solver of so many inputs.
  func check(inputs: Int, on compute: Compute) throws(PruningError) {
    guard columns % 4 == 0 else { throw .columnsNotMultipleOfFour(columns: columns) }
    guard columns == inputs else {
      throw .statisticsMismatch(columns: columns, features: inputs)
    }
    let bad = countNotFinite(on: compute)
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
  }
}

/// Finds the 2:4 weights with the least output error by ADMM on all weights of a row at once, then by coordinate descent.
///
/// Boža 2024, arXiv 2401.02938, and ALPS, Meng et al. 2024, arXiv 2406.07831, with a schedule of our own: started
/// from ``SparseGPT``'s solution, with a penalty that rises geometrically from 0.2 to 1, a new one at every
/// iteration. Each is one Cholesky factorisation for all layers that read the same inputs, two triangular
/// solves, and a projection. In the norm of the inputs: the penalty of a weight is relative to the gram's
/// diagonal, so that the scale of an input changes nothing.
///
/// Every step but the last works on the weights as they are; on an INT8 grid, one more sweep of coordinate
/// descent moves the rounded weights along the grid wherever that lowers the error.
public struct ADMM: SolvingPruner {
  /// The gram of the inputs.
  public let needs = StatisticsKind.gram

  /// How long it searches: SparseGPT and two sweeps of coordinate descent, 12 iterations and a sweep, or 32 and a sweep.
  public let effort: Effort

  /// The penalty of the first iteration and of the last.
  private static let penalties: (first: Double, last: Double) = (0.2, 1)

  /// The method with the effort given.
  public init(effort: Effort = .standard) { self.effort = effort }

  /// Factors the gram, for all layers with these inputs.
  ///
  /// Where no dampening makes it positive definite, the layers are pruned by ``Wanda`` and say so.
  public func solver(
    for inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> any LayerSolver {
    guard let (gram, factor) = try DampenedGram.factored(inputs, on: compute) else {
      return WandaFallback(inputs)
    }
    return ADMMSolver(
      gram: gram, start: SparseGPTSweep(factor, on: compute), penalties: penalties,
      sweeps: search.sweeps)
  }

  /// Iterations of ADMM and the sweeps of coordinate descent that follow.
  public var search: SearchCost {
    switch effort {
    case .fast: SearchCost(sweeps: 2)
    case .standard: SearchCost(iterations: 12, sweeps: 1)
    case .best: SearchCost(iterations: 32, sweeps: 1)
    }
  }

  /// Bytes for the rows, their products and duals, and for two factors or the whole gram.
  public func scratch(inputs: Int, isInt8: Bool) -> SolverBytes {
    let panels = KernelSet.panels(for: inputs)
    var bytes = SolverBytes(valuesPerWeight: 6, inputs: inputs, isInt8: isInt8)
    bytes.fixed =
      max(
        2 * TilePanels.byteCount(.lower, count: panels), TilePanels.byteCount(.full, count: panels))
      + SolverBytes.inverses(panels: panels)
    bytes.repeatsForBatches = true
    return bytes
  }

  /// The penalty of each iteration.
  private var penalties: [Float] {
    let iterations = search.iterations
    let (first, last) = Self.penalties
    let steps = Double(max(1, iterations - 1))
    return (0..<iterations).map {
      Float(first * Math.power(last / first, Double($0) / steps))
    }
  }
}

extension PruningMethod {
  /// Find the weights with the least output error by ADMM and coordinate descent.
  public static let admm = PruningMethod("admm", searches: true) { ADMM(effort: $0) }
}

/// ADMM for layers that share their gram.
private struct ADMMSolver: LayerSolver {
  let gram: DampenedGram
  /// For the rows that come first; it takes a gram's place in memory, so others make it anew.
  var start: SparseGPTSweep?
  let penalties: [Float]
  let sweeps: Int

  mutating func prune(
    _ weights: [Matrix], onto rule: Int8Rule?, on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    _ = try weights.mapLayers { weight throws(PruningError) in
      try weight.check(inputs: gram.inputs, on: compute)
    }
    let stage = SolverStage(
      weights, inputs: gram.inputs, deadInputs: gram.deadInputs, on: compute)
    // One after the other, so that the gram and no more than twice its size are in memory at any time.
    try begin(stage, on: compute)
    let searches = penalties.isEmpty ? [] : searches(stage, on: compute)
    if !searches.isEmpty { try iterate(searches, on: compute) }
    let descent = CoordinateDescent(gram.panels(on: compute), kernels: compute.kernels)
    let sweeps = sweeps
    stage.forEachPiece { piece in
      if !searches.isEmpty { stage.updateErrors(of: piece) }
      for _ in 0..<sweeps { descent.sweep(piece, changing: .pattern) }
    }
    let pruned = try stage.pruned(
      dampening: gram.dampening, grids: weights.map { _ in nil }, on: compute)
    guard let rule else { return pruned }
    return try stage.movedAlongGrid(pruned, by: rule, descent: descent, on: compute)
  }

  /// Prunes by SparseGPT, from which the search goes on.
  private mutating func begin(_ stage: SolverStage, on compute: Compute) throws(LayerPruningError) {
    var sweep = start
    start = nil
    if sweep == nil, let factor = gram.factor(on: compute) {
      sweep = SparseGPTSweep(factor, on: compute)
    }
    guard let sweep else { throw notPositiveDefinite }
    stage.forEachPiece { sweep.prune($0, grid: nil) }
  }

  private var notPositiveDefinite: LayerPruningError {
    LayerPruningError(layer: 0, reason: .notPositiveDefinite(dampening: gram.dampening))
  }

  /// What ADMM keeps of each piece beside its weights.
  private func searches(_ stage: SolverStage, on compute: Compute) -> [ADMMRows] {
    let gram = gram.panels(on: compute)
    let updates = PanelUpdates(coefficients: gram, kernels: compute.kernels)
    return Parallel.map(stage.pieces.count, threads: compute.threads) { index in
      let rows = ADMMRows(stage.pieces[index], kernels: compute.kernels)
      let originals = rows.piece.errors
      stage.readOriginal(of: rows.piece, into: originals)
      for block in TilePanels.blocks(count: gram.count) {
        updates.accumulate(
          0..<gram.count, of: originals.panels, into: block, of: rows.products.panels)
      }
      return rows
    }
  }

  /// Moves the weights from where they are to where ADMM ends.
  ///
  /// In the weights' own coordinates: with n² the dampened diagonal of the gram G, the normalised problem's
  /// (A + ρI)⁻¹ is (G + ρ n²)⁻¹, and its projection is by the squares of what a weight and its input make.
  private func iterate(_ searches: [ADMMRows], on compute: Compute) throws(LayerPruningError) {
    let squares = gram.diagonal
    var previous = penalties[0]
    for penalty in penalties {
      guard let factor = gram.factor(penalty: penalty, on: compute) else {
        throw notPositiveDefinite
      }
      let solver = factor.solver(on: compute)
      let dualFactor = previous / penalty
      Parallel.forEach(searches.count, threads: compute.threads) { index in
        let rows = searches[index]
        for (panel, kept) in rows.piece.weights.panels.enumerated() {
          compute.kernels.admmTarget(
            columns: gram.inputs, products: rows.products.panels[panel], kept: kept,
            dual: rows.dual.panels[panel], squares: squares, penalty: penalty,
            dualFactor: dualFactor, into: rows.solution.panels[panel])
        }
        solver.solve(rows.solution.panels)
        for (panel, kept) in rows.piece.weights.panels.enumerated() {
          compute.kernels.admmProject(
            columns: gram.inputs, solution: rows.solution.panels[panel], squares: squares,
            kept: kept, dual: rows.dual.panels[panel])
        }
      }
      previous = penalty
    }
  }
}

/// ADMM's state of some rows; their weights are what is kept.
private struct ADMMRows {
  let piece: SolverRows
  /// The original weights times the gram.
  let products: RowPanels
  /// The scaled dual.
  let dual: RowPanels
  /// The target of the penalised least squares, and their solution: in the place of the errors, which are
  /// formed anew afterwards.
  var solution: RowPanels { piece.errors }

  init(_ piece: SolverRows, kernels: KernelSet) {
    self.piece = piece
    products = piece.panels(kernels: kernels)
    dual = piece.panels(kernels: kernels)
    for panels in [products, dual] { panels.clear() }
  }
}

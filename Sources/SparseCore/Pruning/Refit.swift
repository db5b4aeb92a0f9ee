/// Solves the weights of layers that are already 2:4 anew against their dense originals, with the mask held.
///
/// Turns what any tool has pruned, however it chose its masks, into something better: sweeps of
/// ``CoordinateDescent`` from the weights that are there. A weight that is 0 stays 0.
public struct Refit: Sendable {
  /// How long it goes on: 4, 16 or 64 sweeps.
  public let effort: Effort

  /// A repair with the effort given.
  public init(effort: Effort = .standard) { self.effort = effort }

  /// Sweeps over the columns.
  package var search: SearchCost {
    switch effort {
    case .fast: SearchCost(sweeps: 4)
    case .standard: SearchCost(sweeps: 16)
    case .best: SearchCost(sweeps: 64)
    }
  }

  /// What a repair takes of memory, beside the gram.
  package static func scratch(inputs: Int, isInt8: Bool) -> SolverBytes {
    var bytes = SolverBytes(valuesPerWeight: 5, inputs: inputs, isInt8: isInt8)
    bytes.fixed = TilePanels.byteCount(.full, count: KernelSet.panels(for: inputs))
    return bytes
  }

  /// The weights that bring the layers' outputs closest to those of the dense ones.
  ///
  /// - Parameters:
  ///   - pruned: weights of layers that read the same inputs, at most two of each four neighbours not 0.
  ///   - dense: the weights that they once were.
  ///   - inputs: the gram of the inputs.
  ///   - rule: the INT8 grid that the weights are then put on; nil for none.
  /// - Throws: ``LayerPruningError`` where a shape, a weight or the statistics do not allow it.
  public func refit(
    _ pruned: [Matrix], to dense: [Matrix], inputs: InputStatistics, onto rule: Int8Rule? = nil,
    on compute: Compute = .automatic
  ) throws(LayerPruningError) -> [PrunedWeight] {
    try solver(for: inputs, onto: rule, on: compute).refit(pruned, to: dense, on: compute)
  }

  /// What solves any rows of the layers that read these inputs.
  ///
  /// - Throws: ``LayerPruningError`` where the statistics do not allow it.
  package func solver(
    for inputs: InputStatistics, onto rule: Int8Rule?, on compute: Compute
  ) throws(LayerPruningError) -> RefitSolver {
    let grams = try [inputs].mapLayers { inputs throws(PruningError) in
      guard case .gram(let gram) = inputs else { throw .missingStatistics(.gram) }
      let bad = gram.countNotFiniteInputs(on: compute)
      guard bad == 0 else { throw .nonFiniteInputs(count: bad) }
      return DampenedGram(gram, dampening: DampenedGram.dampenings[0])
    }
    let descent = CoordinateDescent(grams[0].panels(on: compute), kernels: compute.kernels)
    return RefitSolver(gram: grams[0], descent: descent, sweeps: search.sweeps, rule: rule)
  }
}

/// The repair of layers that share their gram.
package struct RefitSolver: Sendable {
  fileprivate let gram: DampenedGram
  fileprivate let descent: CoordinateDescent
  fileprivate let sweeps: Int
  fileprivate let rule: Int8Rule?

  /// Some rows of the layers, solved anew against the same rows of the dense ones.
  package func refit(
    _ pruned: [Matrix], to dense: [Matrix], on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    let kept = try zip(pruned, dense).mapLayers { pair throws(PruningError) in
      for weight in [pair.0, pair.1] { try weight.check(inputs: gram.inputs, on: compute) }
      guard pair.0.rows == pair.1.rows else {
        throw .denseMismatch(rows: pair.0.rows, denseRows: pair.1.rows)
      }
      return try NonZeros(of: pair.0)
    }
    let stage = SolverStage(dense, inputs: gram.inputs, deadInputs: gram.deadInputs, on: compute)
    stage.forEachPiece { piece in
      kept[piece.layer].bits.withUnsafeBufferPointer { piece.readMask($0.start) }
      stage.replaceWeights(of: piece, by: pruned[piece.layer])
      stage.updateErrors(of: piece)
      for _ in 0..<sweeps { descent.sweep(piece, changing: .values(grid: nil)) }
    }
    var refitted = try stage.pruned(
      dampening: gram.dampening, grids: dense.map { _ in nil }, on: compute)
    if let rule {
      refitted = try stage.movedAlongGrid(refitted, by: rule, descent: descent, on: compute)
    }
    for layer in refitted.indices { refitted[layer].mask = kept[layer].mask }
    return refitted
  }
}

extension SolverStage {
  /// The layers as they are now, as results.
  ///
  /// - Throws: ``PruningError/overflow(count:)`` where a weight is no longer finite.
  func pruned(
    dampening: Double, grids: [Int8Grid?], on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    let (weights, masks) = (weights, masks)
    return try weights.indices.mapLayers { layer throws(PruningError) in
      let bad = weights[layer].countNotFinite(on: compute)
      guard bad == 0 else { throw .overflow(count: bad) }
      return PrunedWeight(
        weight: weights[layer], mask: masks[layer], grid: grids[layer], dampening: dampening)
    }
  }

  /// Results rounded to grids of their own, with the scales of what has survived, and moved along them wherever that lowers the error.
  func movedAlongGrid(
    _ layers: [PrunedWeight], by rule: Int8Rule, descent: CoordinateDescent, on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    let rounded = try layers.mapLayers { layer throws(PruningError) in
      try layer.quantized(by: rule, on: compute)
    }
    forEachPiece { piece in
      replaceWeights(of: piece, by: rounded[piece.layer].weight)
      updateErrors(of: piece)
      descent.sweep(piece, changing: .values(grid: rounded[piece.layer].grid))
    }
    return try pruned(
      dampening: layers.first?.dampening ?? 0, grids: rounded.map(\.grid), on: compute)
  }
}

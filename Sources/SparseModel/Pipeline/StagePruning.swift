internal import SparseCore

/// Prunes the targets among the layers of a stage once its inputs are known.
struct StagePruning {
  let model: LanguageModel
  let recipe: StageRecipe
  let targets: Set<ExactString>
  var compute: Compute
  var memory = MemoryChoices()

  /// The same with something else to compute with.
  func on(_ compute: Compute) -> StagePruning {
    var other = self
    other.compute = compute
    return other
  }

  func isTarget(_ layer: LinearLayer) -> Bool {
    targets.contains(ExactString(layer.name))
  }

  func isTarget(_ stage: Stage, of block: any DecoderBlock) -> Bool {
    stage.linears.contains { isTarget(block.linear($0)) }
  }

  /// Throws where smoothing would scale the inputs of INT8 weights that stay as they are.
  func requireScalable() throws(Int8WeightError) {
    guard recipe.smoothing != nil else { return }
    for block in model.blocks {
      for stage in type(of: block).stages
      where isTarget(stage, of: block) && block.inputNorm(of: stage) != nil {
        for layer in stage.linears.map(block.linear)
        where !isTarget(layer) && layer.stored.type == .int8 {
          throw .cannotFollow(tensor: layer.name, path: model.checkpoint.path)
        }
      }
    }
  }

  /// The layers of a stage that become 2:4.
  private func sparseLayers(of stage: Stage, in block: any DecoderBlock) -> [LinearLayer] {
    stage.linears.map(block.linear).filter { isTarget($0) && !recipe.keepsDense($0) }
  }

  /// The way out for a block's tensors: layers that a stage to be pruned may reorder are held back.
  func writes(
    of block: any DecoderBlock,
    to write: @escaping (_ name: String, _ tensor: StoredMatrix) throws -> Void
  ) -> HeldWrites {
    var writes = HeldWrites(write: write)
    if recipe.permutes {
      for stage in type(of: block).stages where !sparseLayers(of: stage, in: block).isEmpty {
        writes.hold(block.channelFreedom(of: stage)?.producers.map(block.linear) ?? [])
      }
    }
    return writes
  }

  /// Prunes a stage's targets and writes them, and whatever makes up for their new order and scale.
  ///
  /// - Parameter inputs: given up: nothing of them is in memory afterwards.
  /// - Returns: the targets' weights as the run goes on with them, and what became of them.
  /// - Throws: ``LayerError``, and what writing throws.
  func prune(
    _ stage: Stage, of block: any DecoderBlock, index: Int, inputs: inout StageInputs,
    sampleTokens: Int, writes: inout HeldWrites
  ) throws -> [(running: RowSource, report: LayerReport)] {
    let targets = stage.linears.map(block.linear).filter(isTarget)
    for layer in targets {
      let bad = layer.weight.countNotFinite(on: compute)
      guard bad == 0 else {
        throw LayerError(
          layer: layer.name, model: model.checkpoint.path, reason: .nonFiniteWeights(count: bad))
      }
    }
    let clock = ContinuousClock()
    let start = clock.now
    let space = try space(of: stage, of: block, inputs: inputs, writes: &writes)
    let choices = memory.stage(stage.index)
    inputs.enter(space, on: compute)
    defer { inputs = StageInputs(statistics: .none, sample: nil, maxima: nil) }
    let pruned = try recipe.prune(
      targets, in: space, inputs: inputs.statistics, model: model.checkpoint,
      panelsAtOnce: choices.panelsAtOnce, on: compute)
    for (layer, result) in zip(targets, pruned) { try writes.put(result.stored, for: layer) }
    let errors = try zip(targets, pruned).map { [inputs] layer, result in
      inputs.error(
        of: RowSource(result.stored),
        for: space.entering(RowSource(try recipe.original(of: layer))),
        stripeBytes: choices.stripeBytes, on: compute)
    }
    let seconds = (clock.now - start).seconds / Double(targets.count)
    return zip(zip(targets, pruned), errors).map { pair, error in
      let (layer, result) = pair
      let check = PatternCheck(result.stored, countsPatterns: true, on: compute)
      return (
        space.leaving(RowSource(result.stored)),
        LayerReport(
          name: layer.name, block: index, stage: stage.name,
          shape: [layer.weight.rows, layer.weight.columns], seconds: seconds, error: error,
          sparsity: check.sparsity, patterns: check.patterns,
          dampening: result.dampening, fallback: result.fallback, sampleTokens: sampleTokens,
          permutationGain: space.order?.gain, scaleRange: result.scaleRange,
          isDense: recipe.keepsDense(layer))
      )
    }
  }

  /// The space in which a stage is pruned; what makes up for it elsewhere in the block is written.
  private func space(
    of stage: Stage, of block: any DecoderBlock, inputs: StageInputs, writes: inout HeldWrites
  ) throws -> StageSpace {
    var space = StageSpace()
    let sparse = sparseLayers(of: stage, in: block)
    if let freedom = block.channelFreedom(of: stage), recipe.permutes, !sparse.isEmpty {
      space.order = inputs.statistics.norms.flatMap { norms in
        ChannelOrder(
          readBy: sparse.map(\.weight), norms: norms, domains: freedom.domains,
          scratchBytes: memory.stage(stage.index).searchBytes, on: compute)
      }
      try writes.release(
        freedom.producers.map(block.linear), rows: space.order?.rows,
        bias: model.checkpoint.vector)
    }
    let layers = stage.linears.map(block.linear)
    if let alpha = recipe.smoothing, let maxima = inputs.maxima,
      let norm = block.inputNorm(of: stage)
    {
      let scales = smoothingScales(
        inputMaxima: maxima, weights: layers.map { RowSource($0.weight) }, alpha: alpha,
        on: compute)
      let smoothed = try SmoothedNorm(
        model.checkpoint.vector(norm), dividedBy: scales, on: compute)
      try writes.put(smoothed.weight, named: norm)
      space.scales = smoothed.scales
    }
    // Layers that stay dense read the same inputs.
    for layer in layers where !space.isIdentity && !isTarget(layer) {
      let moved = space.entering(RowSource(layer.weight))
      var stored = StoredRows(rows: moved.rows, columns: moved.columns, type: layer.weight.type)
      moved.forEach(moved.rowsAtOnce, on: compute) { stored.append($1, on: compute) }
      try writes.put(stored.finish(), for: layer)
    }
    return space
  }
}

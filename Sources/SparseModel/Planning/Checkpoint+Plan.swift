internal import SparseCore

extension Checkpoint {
  /// Predicts what 2:4 would bring: only the headers and config.json are read.
  ///
  /// - Throws: ``PlanError``; ``SensitivityError`` for a sensitivity of another model; ``ModelError`` for a config.json that cannot be used and for a context that the model does
  ///   not have; ``SelectionError/noCandidates(path:)`` for a checkpoint without linears.
  public func plan(_ request: PlanRequest) throws -> ModelPlan {
    try PlanSource(self).plan(request)
  }
}

extension ModelPlan {
  init(_ source: PlanSource, _ request: PlanRequest, context: Int) {
    let shape = source.shape
    let times = PlanTimes(shape, request, context: context)
    let passes = times.passes()
    let layers = times.layers(rows: Set(passes.map(\.rows)).sorted())
    let measured = times.measurement(of: layers)
    let memory = PlanMemory(shape, request, context: context)
    self.request = request
    hasWeights = source.hasWeights
    folder = source.folder
    self.passes = passes
    self.layers = layers
    measurement = measured
    self.memory = memory
    verdict = PlanVerdict(passes, request)
    advice = PlanAdvice.all(
      PlanAdvice.Evidence(
        shape: shape, request: request, passes: passes, layers: layers, context: context,
        measurement: measured))
  }
}

extension PlanMemory {
  init(_ shape: PlanShape, _ request: PlanRequest, context: Int) {
    let linears = shape.linears.map { (outputs: $0.outputs, inputs: $0.inputs) }
    weights = Dictionary(
      uniqueKeysWithValues: LinearForm.allCases.map {
        ($0, MemoryBudget.weights($0, linears: linears, others: shape.otherBytes))
      })
    linearWeights = shape.linearWeights
    otherBytes = shape.otherBytes
    cache = shape.cache
    self.context = context
    // Residual stream, its normed copy, and a stage's input and outputs, 16 bits each; float32 logits of each sequence.
    let widest = linears.map { $0.inputs + 2 * $0.outputs }.max() ?? 0
    activations = request.batches.map { batch in
      let rows = min(batch * context, PlanRequest.prefillRows)
      return (
        batch,
        2 * rows * (2 * shape.configuration.width + widest)
          + 4 * batch * shape.configuration.vocabulary
      )
    }
  }
}

internal import SparseCore

/// The way back through a block of the Llama family, stage by stage as the way forward.
extension LlamaBlock {
  func outputGradients(
    of stage: Stage, outputs: consuming [Matrix], gradient: inout StateGradient,
    positions: Positions, on compute: Compute
  ) -> [Matrix] {
    switch stage.index {
    case 0:
      let values = outputs.removeLast()
      var keys = outputs.removeLast()
      var queries = outputs.removeLast()
      let (length, first) = positions.span(rows: queries.rows)
      rotary.rotate(&queries, sequenceLength: length, from: first, on: compute)
      rotary.rotate(&keys, sequenceLength: length, from: first, on: compute)
      var result = causalAttentionGradient(
        queries: queries, keys: keys, values: values, gradient: take(&gradient.pending, stage),
        sequenceLength: length, heads: configuration.heads,
        keyValueHeads: configuration.keyValueHeads, headWidth: configuration.headWidth, on: compute)
      rotary.rotateBack(&result.queries, sequenceLength: length, from: first, on: compute)
      rotary.rotateBack(&result.keys, sequenceLength: length, from: first, on: compute)
      return [result.queries, result.keys, result.values]
    case 2:
      var up = outputs.removeLast()
      var gate = outputs.removeLast()
      siluMultiplyGradient(
        of: take(&gradient.pending, stage), gate: &gate, up: &up, on: compute)
      return [gate, up]
    default:
      return [gradient.hidden]
    }
  }

  func addInputGradient(
    _ inputGradient: consuming Matrix, of stage: Stage, hidden: Matrix,
    to gradient: inout StateGradient, norm: inout Matrix, on compute: Compute
  ) {
    guard let name = inputNorm(of: stage) else {
      gradient.pending = inputGradient
      return
    }
    addRMSNormGradient(
      of: inputGradient, hidden, weight: self[norm: name], epsilon: configuration.normEpsilon,
      to: &gradient.hidden, weightGradient: &norm, on: compute)
  }

  /// Takes the gradient that the stage after this one has left.
  private func take(_ gradient: inout Matrix?, _ stage: Stage) -> Matrix {
    guard let taken = gradient.take() else {
      preconditionFailure("LlamaBlock: the stage after \(stage.name) has left no gradient")
    }
    return taken
  }
}

internal import SparseCore

/// What a plan comes to, in words that text and page share.
extension ModelPlan {
  /// The verdict in one line, without a full stop.
  package var verdictText: String {
    switch verdict {
    case .prune(let form, let gain, let phase, let batch):
      pruneText(form, gain, phase, batch)
    case .quantize(let speedup, let phase, let batch):
      "2:4 does not pay here; INT8 alone does: up to \(Format.times(speedup)) (\(phase.rawValue), \(batch.counting("sequence")))"
    case .keepDense:
      "keep it dense: neither 2:4 nor INT8 makes it 1.1 times as fast"
    }
  }

  private func pruneText(
    _ form: LinearForm, _ gain: Double, _ phase: Pass.Phase, _ batch: Int
  ) -> String {
    let pass = passes.first { $0.phase == phase && $0.batch == batch }
    let dense = pass?.bestDense ?? .denseHalf
    let reach =
      "up to \(Format.times(gain)) over \(dense.rawValue) (\(phase.rawValue), \(batch.counting("sequence")))"
    return form == request.form
      ? "2:4 can pay: \(reach)"
      : "\(request.form.rawValue) does not pay here, since \(LinearForm.denseInt8.rawValue) is as fast; \(form.rawValue) can: \(reach)"
  }

  /// The command to run next.
  package func nextWords(for model: String) -> [String] {
    let model = folder ?? model
    let words =
      switch verdict {
      case .prune(let form, _, _, _):
        ["prune", model] + (form.isInt8 ? ["--quantize", "int8"] : [])
      case .quantize: ["quantize", model]
      case .keepDense: ["inspect", model]
      }
    return [Tool.name] + words
  }

  /// Where shapes and names come from where no weights are there, without a full stop; nil where they are.
  package var weightsNote: String? {
    hasWeights ? nil : "none here: shapes and names follow from config.json"
  }
}

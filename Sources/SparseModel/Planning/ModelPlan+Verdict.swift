internal import SparseCore

/// What a plan comes to, in words that text and page share.
extension ModelPlan {
  /// The verdict in one line, without a full stop.
  package var verdictText: String {
    switch verdict {
    case .prune(let gain, let phase, let batch):
      "2:4 can pay: up to \(Format.times(gain)) over \(request.form.dense.rawValue) (\(phase.rawValue), \(batch.counting("sequence")))"
    case .quantize(let speedup, let phase, let batch):
      "2:4 does not pay here; INT8 alone does: up to \(Format.times(speedup)) (\(phase.rawValue), \(batch.counting("sequence")))"
    case .keepDense:
      "keep it dense: neither 2:4 nor INT8 makes it 1.1 times as fast"
    }
  }

  /// The command to run next.
  package func nextWords(for model: String) -> [String] {
    let words =
      switch verdict {
      case .prune: ["prune", model] + (request.form.isInt8 ? ["--quantize", "int8"] : [])
      case .quantize: ["quantize", model]
      case .keepDense: ["inspect", model]
      }
    return [Tool.name] + words
  }
}

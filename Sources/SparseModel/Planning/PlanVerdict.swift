public import SparseCore

/// What a plan comes to: 2:4 counts only where it beats the faster of the dense forms.
public enum PlanVerdict: Sendable, Equatable {
  /// 2:4 in this form makes the model faster than the faster dense form, at best by this factor at this pass.
  case prune(form: LinearForm, gain: Double, phase: ModelPlan.Pass.Phase, batch: Int)
  /// 2:4 does not, but INT8 alone makes it faster than dense float16.
  case quantize(speedup: Double, phase: ModelPlan.Pass.Phase, batch: Int)
  /// Neither does.
  case keepDense

  /// What a change must bring to be worth its loss of accuracy.
  static let worthwhile = 1.1

  /// The form asked for comes first; where that does not pay, 2:4 INT8 may.
  init(_ passes: [ModelPlan.Pass], _ request: PlanRequest) {
    func best(_ value: (ModelPlan.Pass) -> Double) -> (ModelPlan.Pass, Double)? {
      let best = passes.map { ($0, value($0)) }.max { $0.1 < $1.1 }
      return best.flatMap { $0.1 >= Self.worthwhile ? $0 : nil }
    }
    for form in [request.form, .sparseInt8] {
      guard let (pass, gain) = best({ $0.gain(form) }) else { continue }
      self = .prune(form: form, gain: gain, phase: pass.phase, batch: pass.batch)
      return
    }
    if let (pass, speedup) = best({ $0.speedup(.denseInt8) }) {
      self = .quantize(speedup: speedup, phase: pass.phase, batch: pass.batch)
    } else {
      self = .keepDense
    }
  }

  /// One word for programs.
  public var name: String {
    switch self {
    case .prune: "prune"
    case .quantize: "quantize"
    case .keepDense: "keep-dense"
    }
  }
}

internal import SparseCore

/// What a plan comes to.
public enum PlanVerdict: Sendable, Equatable {
  /// 2:4 makes the model faster than the dense form with the same numbers, at best by this factor at this pass.
  case prune(gain: Double, phase: ModelPlan.Pass.Phase, batch: Int)
  /// 2:4 does not, but INT8 alone makes it faster than dense float16.
  case quantize(speedup: Double, phase: ModelPlan.Pass.Phase, batch: Int)
  /// Neither does.
  case keepDense

  /// What a change must bring to be worth its loss of accuracy.
  static let worthwhile = 1.1

  init(_ passes: [ModelPlan.Pass], _ request: PlanRequest) {
    func best(_ value: (ModelPlan.Pass) -> Double) -> (ModelPlan.Pass, Double)? {
      passes.map { ($0, value($0)) }.max { $0.1 < $1.1 }
    }
    if let (pass, gain) = best({ $0.seconds(request.form.dense) / $0.seconds(request.form) }),
      gain >= Self.worthwhile
    {
      self = .prune(gain: gain, phase: pass.phase, batch: pass.batch)
    } else if let (pass, speedup) = best({ $0.speedup(.denseInt8) }), speedup >= Self.worthwhile {
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

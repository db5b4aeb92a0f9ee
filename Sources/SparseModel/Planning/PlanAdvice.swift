internal import SparseCore

/// Something that a plan's numbers alone do not say, with the numbers of the model that it is about.
public enum PlanAdvice: Sendable, Equatable {
  /// So small a model loses more at 2:4 than it gains.
  case smallModel(weights: Int)
  /// What pruning the linears one by one was measured to cost: the sum of the rises of the loss, and how much of it the
  /// worst tenth of them has.
  case measuredLoss(method: String, sum: Double, dense: Double, worstTenth: Double)
  /// The GPU has no sparse tensor cores.
  case noSparseTensorCores(gpu: String)
  /// Linears that were measured in some forms and not in all: measured times are set against the model's.
  case partlyMeasured(count: Int, of: Int)
  /// While decoding, all time of most linears goes into reading weights.
  case decodeBound(batch: Int, share: Double, bytes: Double)
  /// Attention and output projection take most of a pass, which 2:4 leaves as they are.
  case rest(phase: ModelPlan.Pass.Phase, batch: Int, context: Int, share: Double)
  /// Linears whose shape no sparse kernel takes.
  case shapes(count: Int, of: Int, first: String)
  /// Linears whose shape cuSPARSELt takes and PyTorch's kernels do not.
  case notPyTorch(count: Int, of: Int, first: String)
  /// Servers that run 2:4 weights dense.
  case consumers

  /// What advice is drawn from.
  struct Evidence {
    let shape: PlanShape
    let request: PlanRequest
    let passes: [ModelPlan.Pass]
    let layers: [ModelPlan.Layer]
    let context: Int
    let measurement: PlanMeasurement?
  }

  /// Models of fewer weights in linears are called small.
  static let smallWeights = 2_000_000_000

  /// All that applies.
  static func all(_ evidence: Evidence) -> [PlanAdvice] {
    let (shape, request) = (evidence.shape, evidence.request)
    var advice: [PlanAdvice] = []
    if !request.gpu.hasSparseTensorCores {
      advice.append(.noSparseTensorCores(gpu: request.gpu.name))
    }
    if let measurement = evidence.measurement, measurement.partlyMeasured > 0 {
      advice.append(
        .partlyMeasured(count: measurement.partlyMeasured, of: measurement.all))
    }
    if let measured = measuredLoss(request.sensitivity) {
      advice.append(measured)
    } else if shape.linearWeights < smallWeights {
      advice.append(.smallModel(weights: shape.linearWeights))
    }
    let refused = shape.linears.filter {
      request.form.shapeObstacle(outputs: $0.outputs, inputs: $0.inputs) != nil
    }
    if let first = refused.first {
      advice.append(.shapes(count: refused.count, of: shape.linears.count, first: first.name))
    }
    let cuSPARSELtOnly = shape.linears.filter {
      request.form.shapeObstacle(outputs: $0.outputs, inputs: $0.inputs) == nil
        && !request.form.fitsPyTorch(outputs: $0.outputs, inputs: $0.inputs)
    }
    if let first = cuSPARSELtOnly.first {
      advice.append(
        .notPyTorch(count: cuSPARSELtOnly.count, of: shape.linears.count, first: first.name))
    }
    advice += decodeBound(evidence)
    let worst = evidence.passes.map { ($0, $0.rest / $0.seconds(request.form)) }
      .max { $0.1 < $1.1 }
    if let (pass, share) = worst, share >= 0.4 {
      advice.append(
        .rest(phase: pass.phase, batch: pass.batch, context: evidence.context, share: share))
    }
    return advice + [.consumers]
  }

  private static func measuredLoss(
    _ ranking: SensitivityRanking?
  ) -> PlanAdvice? {
    guard let ranking, let dense = ranking.denseLoss, let method = ranking.method else {
      return nil
    }
    let rises = ranking.parts.compactMap(\.lossIncrease).sorted(by: >)
    let sum = rises.reduce(0, +)
    guard rises.count == ranking.parts.count, sum > 0 else { return nil }
    let worst = rises.prefix(max(1, rises.count / 10)).reduce(0, +)
    return .measuredLoss(method: method, sum: sum, dense: dense, worstTenth: worst / sum)
  }

  private static func decodeBound(_ evidence: Evidence) -> [PlanAdvice] {
    let form = evidence.request.form
    guard let batch = evidence.request.batches.max() else { return [] }
    let layers = evidence.layers.filter { $0.rows == batch }
    let share =
      Double(layers.count { $0.sparse.bound == .memory }) / Double(max(1, layers.count))
    guard share >= 0.5 else { return [] }
    func bytes(_ form: LinearForm) -> Double {
      evidence.shape.linears.reduce(0.0) {
        let form = $1.inputs % 4 == 0 ? form : form.dense
        return $0 + Double(form.byteCount(outputs: $1.outputs, inputs: $1.inputs))
      }
    }
    return [.decodeBound(batch: batch, share: share, bytes: bytes(form) / bytes(form.dense))]
  }
}

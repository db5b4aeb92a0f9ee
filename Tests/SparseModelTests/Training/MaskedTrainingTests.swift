import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Training with the masks held: what is pruned stays 0, whatever momentum and decay do.
@Suite struct MaskedTrainingTests {
  static let rules: [(rule: any OptimizerRule, rate: Double)] = [
    (AdamW(weightDecay: 0.1), 0.01), (SGD(momentum: 0.9, weightDecay: 0.1), 0.01),
  ]

  /// A model whose linears are all pruned by magnitude, in float32.
  private func pruned(_ fixture: ModelFixture, in folder: TemporaryFolder) throws -> LanguageModel {
    let dense = try fixture.decoder()
    var model = try EditedModel(fixture)
    for name in try dense.checkpoint.blockLinears() {
      let weight = try Matrix(dense.checkpoint.weight(name))
      let scores = Matrix(rows: weight.rows, columns: weight.columns, weight.values.map(abs))
      let kept = try Mask24(keepingLargest: scores).kept
      model.put(
        name, [weight.rows, weight.columns], zip(weight.values, kept).map { $1 ? $0 : -0.0 })
    }
    return try LanguageModel(Checkpoint(path: model.write(to: folder)))
  }

  @Test(arguments: ModelFixture.architectures, rules.indices)
  func prunedWeightsAreZeroAfterEveryStep(fixture: ModelFixture, index: Int) throws {
    let folder = try TemporaryFolder()
    let decoder = try pruned(fixture, in: folder)
    let (rule, rate) = Self.rules[index]
    let sparse = Set(try decoder.checkpoint.blockLinears())
    #expect(sparse.count == 14)
    var parameters = try TrainingParameters(
      decoder.trainedTensors(but: []), of: decoder.checkpoint, on: .automatic
    ) { sparse.contains($0) }
    var optimizer = MaskedOptimizer(rule, for: parameters.forOptimizer)
    let windows = TokenWindows.random(
      count: 4, length: 8, vocabulary: Int32(decoder.configuration.vocabulary))
    let teacher = try TrainingFixture.states(of: fixture.decoder(), windows)
    let pass = TrainingPass(decoder: decoder, compute: .automatic)
    let factors = TrainingPass.Factors(TrainingObjective.both.loss, windows: 4, length: 8)
    let start = parameters.values
    var losses: [Double] = []
    for step in 0..<20 {
      parameters.clearGradients(on: .automatic)
      let loss = try pass.gradient(of: windows, factors, teacher: teacher, to: &parameters)
      losses.append(TrainingLoss(loss).value(.both))
      try optimizer.step(
        &parameters.values, gradients: &parameters.gradients, learningRate: rate, clippingNorm: 1)
      for (place, name) in parameters.names.enumerated() {
        guard let mask = parameters.masks[place] else {
          #expect(!sparse.contains(name))
          continue
        }
        let prunedAreZero = zip(parameters.values[place].values, mask.kept).allSatisfy {
          $1 || $0.bitPattern == 0
        }
        #expect(prunedAreZero, "\(name) after step \(step + 1)")
      }
    }
    // Every tensor has been trained, and every kept weight of the linears.
    for (place, name) in parameters.names.enumerated() {
      let changed = zip(parameters.values[place].values, start[place].values).count { $0 != $1 }
      if sparse.contains(name) {
        #expect(2 * changed == parameters.values[place].values.count, "\(name)")
      } else {
        #expect(changed > 0, "\(name)")
      }
    }
    #expect((losses.last ?? .infinity) < 0.8 * losses[0], "\(losses)")
  }
}

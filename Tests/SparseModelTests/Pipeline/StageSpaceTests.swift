import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a run writes when it reorders and smooths is the model that it had, and prunes better.
@Suite struct StageSpaceTests {
  /// A method that changes nothing, so that only what the run does around it shows.
  private struct Nothing: Pruner {
    let needs = StatisticsKind.gram

    func prune(
      _ weight: Matrix, inputs: InputStatistics, on compute: Compute
    ) throws(PruningError) -> PrunedWeight {
      PrunedWeight(weight: weight, mask: try Mask24(keepingLargest: weight, on: compute))
    }
  }

  /// A fixture in float32, so that only arithmetic rounds.
  private func float32(_ fixture: ModelFixture) throws -> EditedModel {
    var model = try EditedModel(fixture)
    for tensor in model.tensors {
      guard let values = try model.stored(tensor.spec.name).map({ Matrix($0).values }) else {
        continue
      }
      model.put(tensor.spec.name, tensor.spec.shape, values)
    }
    return model
  }

  @Test(
    arguments: [(true, nil), (false, 0.5), (true, 0.8)] as [(Bool, Float?)],
    ModelFixture.architectures)
  func theWrittenModelComputesTheSame(
    how: (permutes: Bool, smoothing: Float?), fixture: ModelFixture
  ) throws {
    let source = try float32(fixture)
    let folder = try TemporaryFolder()
    let model = try LanguageModel(Checkpoint(path: source.write(to: folder)))
    let windows = TokenWindows(cutting: (0..<96).map { Int32($0 % 60) }, length: 24)
    var written = source
    var names: [String] = []
    // One layer stays as it is, among others that are changed.
    let targets = try model.checkpoint.blockLinears().filter {
      !$0.hasSuffix("1.mlp.up_proj.weight")
    }
    _ = try BlockwisePruning(
      model: model,
      recipe: StageRecipe(
        pruner: Nothing(), permutes: how.permutes, smoothing: how.smoothing),
      targets: Set(targets.map { ExactString($0) }), compute: .automatic
    ).reports(on: windows) {
      names.append($0)
      try written.replace($0, $1)
    }
    #expect(Set(names).count == names.count, "nothing is written twice")
    #expect(Set(names).isSuperset(of: targets))
    let moved = zip(source.tensors, written.tensors).count { $0.bytes != $1.bytes }
    #expect(moved > 4, "\(moved) tensors changed")
    let other = try TemporaryFolder()
    let result = try LanguageModel(Checkpoint(path: written.write(to: other)))
    let (before, after) = try (
      model.perplexity(of: windows).meanNegativeLogLikelihood,
      result.perplexity(of: windows).meanNegativeLogLikelihood
    )
    #expect(abs(before - after) < 1e-5 * before, "\(before) \(after)")
  }
}

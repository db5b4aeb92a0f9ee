import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// SparseGPT on whole models.
@Suite struct SparseGPTRunTests {
  private static let qwen2 = ModelFixture(name: "architectures/qwen2")

  /// Fewer tokens than the inputs of the widest layer, too.
  @Test(arguments: [8, 2]) func theErrorsAreSmallerThanWandas(samples: Int) throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    var calibration = GoldenPruneTests.calibration
    calibration.samples = samples
    let wanda = try place.prune(.wanda, calibration, to: "wanda")
    let report = try place.prune(.sparseGPT, calibration, to: "sparsegpt")
    #expect(report.layers.map(\.name) == wanda.layers.map(\.name))
    #expect(
      (report.meanSquaredRelativeError ?? 1) < 0.7 * (wanda.meanSquaredRelativeError ?? 0))
    #expect(try Checkpoint(path: place.folder["sparsegpt"]).check().passed)
    #expect(report.layers.allSatisfy { $0.dampening == 0.01 && $0.fallback == nil })
    #expect(wanda.layers.allSatisfy { $0.dampening == nil && $0.fallback == nil })
    #expect(report.calibration?.errorTokens == samples * 128)
    let layer = report.json["layers"]?.array?.first
    #expect(layer?["dampening"]?.double == 0.01)
    #expect(layer?["fallback"]?.isNull == true)

    guard isOptimized && samples == 8 else { return }
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 128)
    let perplexity = try ["wanda", "sparsegpt"].map {
      try LanguageModel(Checkpoint(path: place.folder[$0])).perplexity(of: windows).perplexity
    }
    #expect(perplexity[1] < perplexity[0] - 0.1, "\(perplexity)")
  }

  @Test func theBytesDoNotDependOnTheThreads() throws {
    let place = try PrunedFolder(EditedModel(Self.qwen2))
    let tokens = try place.tokens(samples: 3, length: 20, vocabulary: 64)
    let outputs = try [1, 2, 5].map { threads in
      try place.prune(
        .sparseGPT, tokens, to: "\(threads)", on: Compute(threads: threads))
      return try place.bytes("\(threads)")
    }
    #expect(outputs[1] == outputs[0] && outputs[2] == outputs[0])
  }

  /// The error that the gram tells is that of the stored weights on all inputs.
  @Test func theErrorIsThatOnAllTokens() throws {
    let inputs = Reference.layer(rows: 1, columns: 60, tokens: 300, seed: 1).inputs
    let weight = Reference.layer(rows: 20, columns: 60, tokens: 1, seed: 2).weight
    let stored = StoredMatrix(weight, as: .bfloat16)
    var gram = Gram(inputs: 60)
    gram.add(inputs)
    let pruned = try SparseGPT().prune(Matrix(stored), inputs: .gram(gram), on: .automatic)
    let changed = StoredMatrix(pruned.weight, as: .bfloat16)
    let onTokens = OutputError(
      of: RowSource(changed), for: RowSource(stored), inputs: inputs, on: .automatic)
    let onGram = OutputError(
      of: RowSource(changed), for: RowSource(stored), gram: gram, on: .automatic)
    #expect(abs(onGram.relative - onTokens.relative) < 1e-4 * onTokens.relative)
  }

  /// A method that works on no gram at all.
  private struct Hopeless: SolvingPruner, LayerSolver {
    let needs = StatisticsKind.gram

    func solver(
      for inputs: InputStatistics, on compute: Compute
    ) throws(PruningError) -> any LayerSolver { self }

    func prune(
      _ weights: [Matrix], onto rule: Int8Rule?, on compute: Compute
    ) throws(LayerPruningError) -> [PrunedWeight] {
      weights.map { weight in
        guard let mask = try? Mask24(keepingLargest: weight) else { preconditionFailure() }
        return PrunedWeight(
          weight: weight, mask: mask,
          fallback: PrunedWeight.Fallback(
            method: .magnitude, reason: .notPositiveDefinite(dampening: 1)))
      }
    }
  }

  @Test func aFallbackIsReportedAndWithStrictAnError() throws {
    let model = try Self.qwen2.decoder()
    let names = ["model.layers.1.self_attn.k_proj.weight", "model.layers.1.mlp.down_proj.weight"]
    let windows = TokenWindows(cutting: (0..<40).map { Int32($0) }, length: 20)
    func run(strict: Bool) throws -> [LayerReport] {
      try BlockwisePruning(
        model: model, recipe: StageRecipe(pruner: Hopeless(), isStrict: strict),
        targets: Set(names.map { ExactString($0) }), compute: .automatic
      ).reports(on: windows) { _, _ in }
    }
    let reports = try run(strict: false)
    #expect(reports.map(\.name) == names)
    #expect(reports.allSatisfy { $0.fallback == .magnitude && $0.dampening == nil })
    #expect(reports.first?.json["fallback"]?.string == "magnitude")
    let error = #expect(throws: LayerError.self) { try run(strict: true) }
    #expect(error?.layer == names[0])
    #expect(
      error?.description
        == "\(Self.qwen2.path): tensor '\(names[0])': the gram of the inputs is not positive definite, even with dampening 1.0"
    )
  }
}

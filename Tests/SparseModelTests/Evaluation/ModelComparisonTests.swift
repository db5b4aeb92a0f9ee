import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// The tiny model against what pruning makes of it.
@Suite struct ModelComparisonTests {
  private let place: PrunedFolder
  private let dense: LanguageModel
  private let pruned: LanguageModel
  private let windows: TokenWindows

  init() throws {
    place = try PrunedFolder(EditedModel(.tiny))
    try place.prune(.magnitude, to: "pruned")
    dense = try LanguageModel(Checkpoint(path: place.input))
    pruned = try LanguageModel(Checkpoint(path: place.folder["pruned"]))
    windows = try ModelFixture.tiny.windows("heldout.txt", length: 24, count: 5)
  }

  /// By the definition, in float64, from all logits of both models at once.
  private func slowDivergences() throws -> (values: [Double], agreements: Int) {
    func logProbabilities(_ row: [Double]) -> [Double] {
      let total = row.reduce(0) { $0 + Math.exponential($1) }
      return row.map { $0 - Math.logarithm(total) }
    }
    func firstOfLargest(_ row: [Double]) -> Int? { row.firstIndex(of: row.max() ?? 0) }
    var values: [Double] = []
    var agreements = 0
    for window in 0..<windows.count {
      let ids = Array(windows[window])
      let (a, b) = (try dense.logits(of: ids), try pruned.logits(of: ids))
      for position in 0..<ids.count - 1 {
        let row = { (logits: Matrix) in
          (0..<logits.columns).map { Double(logits[position, $0]) }
        }
        let (p, q) = (logProbabilities(row(a)), logProbabilities(row(b)))
        values.append(zip(p, q).reduce(0) { $0 + Math.exponential($1.0) * ($1.0 - $1.1) })
        agreements += firstOfLargest(p) == firstOfLargest(q) ? 1 : 0
      }
    }
    return (values, agreements)
  }

  @Test func divergenceAndAgreementAreThoseOfAllLogits() throws {
    let found = try dense.comparison(with: pruned, over: windows)
    let (values, agreements) = try slowDivergences()
    #expect(values.count == 5 * 23)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    // Logits are float32: as far apart as TinyLlamaTests has them from PyTorch's.
    #expect(abs(found.divergence.mean - mean) < 1e-5)
    #expect(
      abs(found.divergence.standardError - (variance / Double(values.count)).squareRoot()) < 1e-5)
    let sorted = values.sorted()
    #expect(abs(found.divergence.median - sorted[57]) < 1e-5)
    #expect(abs(found.divergence.percentile99 - sorted[113]) < 1e-4)
    #expect(abs(found.divergence.percentile999 - sorted[114]) < 1e-4)
    #expect(found.divergence.maximum == found.divergence.percentile999)
    #expect(found.agreement == Double(agreements) / Double(values.count))
    #expect(mean > 0.1 && agreements < values.count)
    #expect(found.referenceRate.rounds.count == found.otherRate.rounds.count)
  }

  @Test(arguments: KernelSet.available)
  func perplexitiesAreThoseOfTheModelsAlone(kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels, threads: 2)
    let found = try dense.comparison(with: pruned, over: windows, on: compute)
    #expect(try found.reference == dense.perplexity(of: windows, on: compute))
    #expect(try found.other == pruned.perplexity(of: windows, on: compute))
    let ratio = found.other.perplexity / found.reference.perplexity
    #expect(abs(found.perplexityRatio / ratio - 1) < 1e-12)
  }

  @Test(arguments: KernelSet.available)
  func aModelIsExactlyItself(kernels: KernelSet) throws {
    let found = try dense.comparison(
      with: dense, over: windows, on: Compute(kernels: kernels, threads: 2))
    #expect(found.divergence == Divergence([0]))
    #expect(found.agreement == 1)
    #expect(found.reference == found.other)
    #expect(found.verdict == .same)
  }

  @Test(arguments: [1, 3, 5]) func threadsChangeNoBit(threads: Int) throws {
    let one = try dense.comparison(with: pruned, over: windows, on: Compute(threads: 2))
    let many = try dense.comparison(with: pruned, over: windows, on: Compute(threads: threads))
    expectSame(one, many)
  }

  /// Chunks of one window, of two, and of all; groups of the residual streams likewise.
  @Test(arguments: [(1, 1), (40, 1), (1, 50 * 1024), (1000, 1)])
  func splittingTheTokensChangesNoBit(chunk: Int, hiddenBytes: Int) throws {
    let whole = try dense.comparison(with: pruned, over: windows)
    let split = try dense.comparison(
      with: pruned, over: windows,
      batch: BatchSize(chunkTokens: chunk, hiddenBytes: hiddenBytes), on: .automatic,
      progress: { _ in })
    expectSame(split, whole)
    let kept = try ReferenceStates(
      of: dense, over: windows, beside: place.folder["states"],
      batch: BatchSize(chunkTokens: chunk, hiddenBytes: hiddenBytes), on: .automatic,
      progress: { _ in })
    expectSame(
      try kept.comparison(
        with: pruned, activations: .float32, on: .automatic, progress: { _ in }), whole)
    #expect(
      try kept.comparison(with: nil, activations: .float32, on: .automatic, progress: { _ in })
        .divergence.maximum == 0)
    #expect(try !place.folder.contents().contains { $0.contains("states") })
  }

  private func expectSame(_ a: ModelComparison, _ b: ModelComparison) {
    #expect(a.reference == b.reference && a.other == b.other)
    #expect(a.divergence == b.divergence && a.agreement == b.agreement)
  }

  @Test func int8ActivationsReachTheModelThatHasInt8Weights() throws {
    _ = try QuantizeRun(place.input, QuantizeOptions(output: place.folder["int8"])).run()
    let int8 = try LanguageModel(Checkpoint(path: place.folder["int8"]))
    let found = try dense.comparison(with: int8, over: windows, activations: .int8)
    #expect(try found.reference == dense.perplexity(of: windows))
    #expect(try found.other == int8.perplexity(of: windows, activations: .int8))
    #expect(0 < found.divergence.mean && found.divergence.mean < 0.01)
    #expect(found.verdict == .indistinguishable)
    #expect(throws: EvaluationError.noInt8Weights(model: place.folder["pruned"])) {
      try dense.comparison(with: pruned, over: windows, activations: .int8)
    }
  }

  @Test func progressOnlyGrowsAndReachesTheEnd() throws {
    var seen: [RunProgress] = []
    _ = try dense.comparison(
      with: pruned, over: windows, batch: BatchSize(chunkTokens: 24, hiddenBytes: 1),
      on: .automatic
    ) { seen.append($0) }
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.done <= $1.done && $0.total == $1.total })
    #expect(seen.last.map { $0.done == $0.total } == true)
    #expect(throws: CancellationError.self) {
      try dense.comparison(with: pruned, over: windows) { _ in throw CancellationError() }
    }
  }

  @Test(arguments: ["model.layers.1.mlp.down_proj.weight", "model.embed_tokens.weight"])
  func predictionsThatAreNoNumbersAreRefused(tensor: String) throws {
    var edited = try EditedModel(.tiny)
    edited.setBFloat16(tensor, at: 77, to: .nan)
    let broken = try LanguageModel(Checkpoint(path: edited.write(to: place.folder, "broken")))
    for (first, second) in [(dense, broken), (broken, dense)] {
      let error = #expect(throws: PredictionError.self) {
        try first.comparison(with: second, over: windows)
      }
      #expect(error?.model == place.folder["broken"])
      guard case .tensor(let found) = error?.cause else {
        Issue.record("no tensor is named: \(String(describing: error))")
        return
      }
      #expect(found.name == tensor && found.count == 1)
    }
  }

  @Test func nothingToPredictIsRefused() {
    #expect(throws: EvaluationError.nothingToPredict(windows: 0, length: 24)) {
      try dense.comparison(with: pruned, over: windows.first(0))
    }
    #expect(throws: EvaluationError.nothingToPredict(windows: 2, length: 1)) {
      try dense.comparison(with: pruned, over: TokenWindows(count: 2, length: 1, ids: [1, 2]))
    }
  }
}

@Suite struct DivergenceTests {
  @Test func percentilesAreTheLeastThatSoManyStayWithin() {
    let found = Divergence((1...1000).map(Double.init).shuffled())
    #expect(found.mean == 500.5)
    #expect((found.median, found.percentile99, found.percentile999) == (500, 990, 999))
    #expect(found.maximum == 1000)
  }

  @Test func roundingBelowZeroIsTakenBack() {
    let found = Divergence([-1e-12, 0])
    #expect(found == Divergence([0, 0]))
    #expect(found.mean == 0 && found.standardError == 0)
  }

  @Test func aSingleTokenHasNoSpread() {
    let found = Divergence([0.25])
    #expect((found.mean, found.standardError, found.percentile99) == (0.25, 0, 0.25))
  }
}

internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a measurement of sensitivity finds, held against models of which one part was really pruned.
@Suite struct SensitivityTests {
  /// What one part does to a model, by definition: two whole models, all logits, float64.
  private struct Expected {
    var divergence = 0.0
    var lossIncrease = 0.0
    var count = 0

    init(_ dense: LanguageModel, _ changed: LanguageModel, _ windows: TokenWindows) throws {
      for window in 0..<windows.count {
        let ids = Array(windows[window])
        let (a, b) = try (dense.logits(of: ids), changed.logits(of: ids))
        for token in stride(from: 0, to: windows.length - 1, by: 2) {
          let p = Self.logProbabilities(a, token)
          let q = Self.logProbabilities(b, token)
          divergence += zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
          let next = Int(ids[token + 1])
          lossIncrease += p[next] - q[next]
          count += 1
        }
      }
      divergence /= Double(count)
      lossIncrease /= Double(count)
    }

    private static func logProbabilities(_ logits: Matrix, _ row: Int) -> [Double] {
      let values = (0..<logits.columns).map { Double(logits[row, $0]) }
      let most = values.max() ?? 0
      let normaliser = most + log(values.reduce(0) { $0 + exp($1 - most) })
      return values.map { $0 - normaliser }
    }
  }

  private static func place(
    _ name: String = "architectures/qwen2"
  ) throws -> (PrunedFolder, tokens: CalibrationOptions) {
    let place = try PrunedFolder(EditedModel(ModelFixture(name: name)))
    return (place, try place.tokens(samples: 5, length: 21, vocabulary: 64))
  }

  private static func options(
    _ method: PruningMethod, _ tokens: CalibrationOptions, by unit: SensitivityUnit = .linear,
    int8: Bool = false, prunes: Bool = true, fast: Bool = false, permutes: Bool = false,
    output: String? = nil, resumes: Bool = false
  ) -> SensitivityOptions {
    SensitivityOptions(
      pruning: PruneOptions(
        method: method, permutes: permutes, quantization: int8 ? QuantizationOptions() : nil,
        calibration: method == .magnitude ? nil : tokens),
      prunes: prunes, unit: unit, isFast: fast,
      heldOut: CalibrationOptions(source: tokens.source, samples: 4, length: 20), output: output,
      resumes: resumes)
  }

  private static func heldOut(_ tokens: CalibrationOptions) throws -> TokenWindows {
    try TokenWindows(contentsOf: #require(tokens.source.path)).first(4)
      .shortened(to: 20, source: "")
  }

  @Test(
    arguments: [PruningMethod.magnitude, .wanda, .sparseGPT, .admm],
    ["architectures/qwen2", "architectures/mistral"])
  func aLayerCostsWhatPruningItAloneCosts(method: PruningMethod, fixture: String) throws {
    let (place, tokens) = try Self.place(fixture)
    let permutes = method == .admm
    let report = try SensitivityRun(
      place.input, Self.options(method, tokens, permutes: permutes)
    ).run()
    #expect(report.parts.count == 14)
    let dense = try LanguageModel(Checkpoint(path: place.input))
    for (index, part) in report.parts.enumerated() {
      let selection = WeightSelection(only: part.layers)
      let pruned = try place.prune(
        method, method == .magnitude ? nil : tokens, permutes: permutes, selection: selection,
        to: "pruned-\(index)")
      let changed = try LanguageModel(Checkpoint(path: place.folder["pruned-\(index)"]))
      let expected = try Expected(dense, changed, Self.heldOut(tokens))
      let (divergence, increase) = try (
        #require(part.divergence), #require(part.lossIncrease)
      )
      #expect(abs(divergence - expected.divergence) <= 2e-6 + 1e-3 * expected.divergence)
      #expect(abs(increase - expected.lossIncrease) <= 2e-6 + 1e-3 * abs(expected.lossIncrease))
      if method != .magnitude {
        let error = try #require(pruned.layers.first?.relativeError)
        #expect(abs(part.relativeError - error) <= 1e-5 * error)
      }
      #expect(part.blockError > 0)
      #expect(part.layers == [part.name])
    }
    let scores = report.ranked.map(\.score)
    #expect(scores == scores.sorted(by: >))
    let perplexity = try dense.perplexity(of: Self.heldOut(tokens))
    #expect(report.dense == perplexity)
  }

  @Test func aStageCostsWhatPruningItAloneCosts() throws {
    let (place, tokens) = try Self.place()
    let report = try SensitivityRun(place.input, Self.options(.wanda, tokens, by: .stage)).run()
    #expect(report.parts.count == 8)
    #expect(report.parts[0].name == "block 0, qkv")
    #expect(report.parts[0].layers.count == 3)
    let dense = try LanguageModel(Checkpoint(path: place.input))
    for (index, part) in report.parts.enumerated() {
      try place.prune(
        .wanda, tokens, selection: WeightSelection(only: part.layers), to: "pruned-\(index)")
      let changed = try LanguageModel(Checkpoint(path: place.folder["pruned-\(index)"]))
      let expected = try Expected(dense, changed, Self.heldOut(tokens))
      let divergence = try #require(part.divergence)
      #expect(abs(divergence - expected.divergence) <= 2e-6 + 1e-3 * expected.divergence)
    }
  }

  @Test func aBlockCostsWhatPruningItByMagnitudeCosts() throws {
    let (place, tokens) = try Self.place()
    let report = try SensitivityRun(
      place.input, Self.options(.magnitude, tokens, by: .block)
    ).run()
    #expect(report.parts.map(\.name) == ["block 0", "block 1"])
    let dense = try LanguageModel(Checkpoint(path: place.input))
    for (index, part) in report.parts.enumerated() {
      #expect(part.layers.count == 7)
      try place.prune(
        .magnitude, selection: WeightSelection(only: part.layers), to: "pruned-\(index)")
      let changed = try LanguageModel(Checkpoint(path: place.folder["pruned-\(index)"]))
      let expected = try Expected(dense, changed, Self.heldOut(tokens))
      let divergence = try #require(part.divergence)
      #expect(abs(divergence - expected.divergence) <= 2e-6 + 1e-3 * expected.divergence)
    }
  }

  @Test func int8AloneCostsWhatQuantizingAloneCosts() throws {
    let (place, tokens) = try Self.place()
    let report = try SensitivityRun(
      place.input, Self.options(.magnitude, tokens, int8: true, prunes: false)
    ).run()
    #expect(report.method == "none")
    #expect(report.isQuantized)
    let dense = try LanguageModel(Checkpoint(path: place.input))
    for index in [0, 6, 9] {
      let part = report.parts[index]
      let output = place.folder["int8-\(index)"]
      _ = try QuantizeRun(
        place.input,
        QuantizeOptions(selection: WeightSelection(only: part.layers), output: output)
      ).run()
      let changed = try LanguageModel(Checkpoint(path: output))
      let expected = try Expected(dense, changed, Self.heldOut(tokens))
      let divergence = try #require(part.divergence)
      #expect(abs(divergence - expected.divergence) <= 1e-6 + 1e-3 * expected.divergence)
    }
  }

  @Test func theFastRankingHasTheSameErrorsAndNoOutputs() throws {
    let (place, tokens) = try Self.place()
    let whole = try SensitivityRun(place.input, Self.options(.wanda, tokens)).run()
    let fast = try SensitivityRun(place.input, Self.options(.wanda, tokens, fast: true)).run()
    #expect(fast.parts.map(\.blockError) == whole.parts.map(\.blockError))
    #expect(fast.parts.map(\.relativeError) == whole.parts.map(\.relativeError))
    #expect(fast.parts.allSatisfy { $0.divergence == nil && $0.lossIncrease == nil })
    #expect(fast.dense == nil)
  }

  @Test func threadsChangeNoBit() throws {
    let (place, tokens) = try Self.place()
    let runs = try [1, 3].map { threads in
      try SensitivityRun(place.input, Self.options(.sparseGPT, tokens)).run(
        on: Compute(threads: threads)
      ).parts
    }
    #expect(runs[0] == runs[1])
  }

  @Test(arguments: [false, true])
  func aRunThatWasCutShortGoesOnToTheSameNumbers(selfWritten: Bool) throws {
    struct Stop: Error {}
    let (place, tokens) = try Self.place("tiny-llama")
    func options(_ output: String, resumes: Bool = false) -> SensitivityOptions {
      var options = Self.options(.wanda, tokens, output: place.folder[output], resumes: resumes)
      if selfWritten {
        options.pruning.calibration = CalibrationOptions(samples: 2, length: 16)
        options.heldOut.source = .selfWritten
      }
      return options
    }
    let whole = try SensitivityRun(place.input, options("whole.json")).run()
    let cut = options("cut.json")
    #expect(throws: UnfinishedRun.self) {
      try SensitivityRun(place.input, cut).run { progress in
        if progress.step.contains("layers.2.") { throw Stop() }
      }
    }
    #expect(!FileSystem.isTaken(place.folder["cut.json"]))
    #expect(throws: JournalError.self) { try SensitivityRun(place.input, cut).run() }
    #expect(throws: JournalError.self) {
      var other = options("cut.json", resumes: true)
      other.unit = .stage
      _ = try SensitivityRun(place.input, other).run()
    }
    var measured: Set<String> = []
    let resumed = try SensitivityRun(place.input, options("cut.json", resumes: true)).run {
      if $0.step.hasPrefix("measure") { measured.insert($0.step) }
    }
    #expect(measured.count == 14)  // blocks 2 and 3
    #expect(resumed.parts == whole.parts)
    #expect(resumed.dense == whole.dense)
    let ranking = try SensitivityRanking(contentsOf: place.folder["cut.json"])
    #expect(ranking.parts == whole.parts)
    #expect(!FileSystem.isTaken(place.folder["cut.json.partial"]))
  }

  @Test func aTextThatHoldsNothingToPredictIsRefused() throws {
    let (place, tokens) = try Self.place()
    var options = Self.options(.magnitude, tokens)
    options.heldOut.length = 1
    #expect(throws: EvaluationError.nothingToPredict(windows: 4, length: 1)) {
      try SensitivityRun(place.input, options).run()
    }
    options.heldOut.length = 30
    #expect(throws: CalibrationError.self) { try SensitivityRun(place.input, options) }
  }

  @Test func theResultIsNotWrittenOverWhatIsRead() throws {
    let (place, tokens) = try Self.place()
    for path in [place.input + "/model.safetensors", place.folder["tokens.safetensors"]] {
      #expect(throws: CheckpointOutputError.sameAsInput(path: path)) {
        try SensitivityRun(place.input, Self.options(.wanda, tokens, output: path))
      }
    }
  }
}

import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// NaN and infinity in a model's predictions end every use of them, and the tensor behind them is named.
@Suite struct PredictionErrorTests {
  private let folder: TemporaryFolder
  private let windows: TokenWindows

  init() throws {
    folder = try TemporaryFolder()
    windows = try ModelFixture.tiny.windows("heldout.txt", length: 24, count: 3)
  }

  /// The tiny model, `512 × 128` embeddings tied to the output, with one value changed.
  private func broken(_ tensor: String, at index: Int, to value: Float) throws -> LanguageModel {
    var model = try EditedModel(.tiny)
    model.setBFloat16(tensor, at: index, to: value)
    return try LanguageModel(Checkpoint(path: model.write(to: folder)))
  }

  /// Every use of predictions.
  enum Use: CaseIterable {
    case perplexity, greedy, sampled, calibrationText, heldOutText, speed, teacher

    func run(_ model: LanguageModel, _ windows: TokenWindows) throws {
      let prompt = Array(windows.ids.prefix(4))
      switch self {
      case .perplexity: _ = try model.perplexity(of: windows)
      case .greedy:
        _ = try model.generate(after: prompt, count: 2, sampling: Sampling(temperature: 0))
      case .sampled: _ = try model.generate(after: prompt, count: 2, sampling: Sampling())
      case .calibrationText:
        _ = try model.writeText(samples: 3, length: 4, seed: 0, on: .automatic, progress: { _ in })
      case .heldOutText:
        var text = try HeldOutText(windows, model: model, on: .automatic)
        _ = try text.predict { _ in }
      case .speed: _ = try DecodeSpeed().measure([model], on: prompt)
      case .teacher:
        let student = try ModelFixture.tiny.decoder()
        var teacher = try Teacher(model, of: windows, beside: nil, on: .automatic)
        let states = try teacher.states(of: [0, 1, 2], chunkTokens: 100)
        _ = try TrainingPass(decoder: student, compute: .automatic).loss(
          of: windows, nil, teacher: (teacher.head, states))
      }
    }
  }

  @Test(
    arguments: [
      // The last row belongs to a token that no text uses; it is read as an output all the same.
      ("model.embed_tokens.weight", 511 * 128 + 5, Float.nan, [511, 5]),
      ("model.embed_tokens.weight", 511 * 128, Float.infinity, [511, 0]),
      ("model.norm.weight", 127, Float.nan, [127]),
      ("model.norm.weight", 0, -Float.infinity, [0]),
      ("model.layers.2.mlp.down_proj.weight", 352 * 3 + 1, Float.nan, [3, 1]),
      ("model.layers.1.input_layernorm.weight", 9, Float.nan, [9]),
    ], Use.allCases)
  func theTensorIsNamed(
    fault: (tensor: String, index: Int, value: Float, place: [Int]), use: Use
  ) throws {
    let model = try broken(fault.tensor, at: fault.index, to: fault.value)
    let error = #expect(throws: PredictionError.self) { try use.run(model, windows) }
    #expect(
      error?.cause
        == .tensor(
          NonFiniteTensor(
            name: fault.tensor, dtype: "BF16", shape: model.checkpoint[fault.tensor]?.shape ?? [],
            count: 1, first: fault.place)))
    #expect(error?.model == folder["model"])
    #expect(error?.description.contains(fault.tensor) == true)
  }

  /// 3.3e38 is finite in bfloat16; times anything above 1.04 it is not in float32.
  @Test(arguments: Use.allCases)
  func aFiniteTensorMayOverflow(use: Use) throws {
    var model = try EditedModel(.tiny)
    for index in 0..<128 { model.setBFloat16("model.norm.weight", at: index, to: 3.3e38) }
    let decoder = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    let error = #expect(throws: PredictionError.self) { try use.run(decoder, windows) }
    guard case .overflow(let part) = error?.cause else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(part.contains("model.norm.weight") || part.contains("model.embed_tokens.weight"))
  }

  /// Only the second window has the token whose embedding is bad; the output projection is another tensor.
  @Test func thePlaceIsTold() throws {
    var model = try EditedModel(.tiny)
    model.set("tie_word_embeddings", false)
    let name = "model.embed_tokens.weight"
    let embedding = try #require(model.tensors.first { $0.spec.name == name })
    model.put("lm_head.weight", .bf16, embedding.spec.shape, embedding.bytes)
    model.setBFloat16(name, at: 300 * 128, to: .nan)
    let decoder = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    var ids = [Int32](repeating: 7, count: 20)
    ids[13] = 300
    let error = #expect(throws: PredictionError.self) {
      try decoder.perplexity(of: TokenWindows(count: 2, length: 10, ids: ids))
    }
    // A weight of 0 times NaN is NaN: in attention it may reach earlier tokens of the window, too.
    #expect(error?.window == 1 && error.map { $0.position <= 3 } == true)
    guard case .tensor(let found) = error?.cause else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found.name == name && found.first == [300, 0])
    #expect(throws: Never.self) {
      try decoder.perplexity(of: TokenWindows(count: 1, length: 10, ids: Array(ids.prefix(10))))
    }
  }

  /// The smallest positive temperature takes every logit beyond float32.
  @Test func aTemperatureNearZeroTakesTheLikeliestToken() throws {
    let model = try ModelFixture.tiny.decoder()
    let prompt = Array(windows.ids.prefix(6))
    #expect(
      try model.generate(after: prompt, count: 8, sampling: Sampling(temperature: 1e-45))
        == model.generate(after: prompt, count: 8, sampling: Sampling(temperature: 0)))
  }
}

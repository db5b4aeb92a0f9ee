import SparseCore
import SparseModel
import TestSupport
import Testing

/// What is wrong with a model is told by its file, its tensor and both numbers.
@Suite struct ModelErrorTests {
  let folder: TemporaryFolder
  var model: EditedModel

  init() throws {
    folder = try TemporaryFolder()
    model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
  }

  private func error(opening path: String) -> ModelError? {
    #expect(throws: ModelError.self) { try LanguageModel(Checkpoint(path: path)) }
  }

  @Test mutating func withoutConfigThereIsNoForwardPass() throws {
    model.config = nil
    let path = try model.write(to: folder)
    #expect(error(opening: path) == .missingConfiguration(folder: path))
    #expect(
      error(opening: path)?.description
        == "no config.json in \(path), which running the model needs"
    )
  }

  @Test func aConfigThatIsNoJSONSaysWhere() throws {
    let path = try model.write(to: folder)
    try folder.write("{\"model_type\": llama}", to: "model/config.json")
    let description = error(opening: path)?.description ?? ""
    #expect(description.hasPrefix("\(path)/config.json: "))
    #expect(description.hasSuffix("line 1 column 16"), "\(description)")
  }

  @Test mutating func anUnsupportedArchitectureIsNamed() throws {
    model.set("model_type", "gpt_neox")
    let path = try model.write(to: folder)
    #expect(
      error(opening: path)
        == .configuration(
          path: "\(path)/config.json",
          .unsupportedArchitecture("gpt_neox", supported: ["llama", "mistral", "qwen2"])))
  }

  @Test mutating func aConfigThatDisagreesWithATensorNamesItAndBothShapes() throws {
    model.set("intermediate_size", 44)
    let path = try model.write(to: folder)
    let found = error(opening: path)
    #expect(
      found
        == .shapeMismatch(
          "model.layers.0.mlp.gate_proj.weight", configuration: [44, 48], file: [40, 48],
          model: path))
    #expect(
      found?.description
        == "\(path): tensor 'model.layers.0.mlp.gate_proj.weight' is [40, 48], config.json implies [44, 48]"
    )
  }

  @Test(arguments: [
    ("model.layers.1.self_attn.k_proj.weight", [16, 48]),
    ("model.layers.1.self_attn.q_proj.bias", [48]), ("model.norm.weight", [48]),
    ("model.embed_tokens.weight", [64, 48]), ("model.layers.0.input_layernorm.weight", [48]),
  ])
  func aMissingTensorIsNamed(name: String, shape: [Int]) throws {
    var model = model
    model.remove(name)
    let path = try model.write(to: folder)
    #expect(error(opening: path) == .missingTensor(name, shape: shape, model: path))
  }

  @Test mutating func aBlockThatTheConfigDoesNotCountIsNamed() throws {
    model.set("num_hidden_layers", 1)
    let path = try model.write(to: folder)
    guard case .surplusBlock(let tensor, blocks: 1, model: path) = error(opening: path) else {
      Issue.record("opened, though there are two blocks")
      return
    }
    #expect(tensor.hasPrefix("model.layers.1."))
  }

  @Test mutating func anUntiedModelNeedsItsOutputProjection() throws {
    model.set("tie_word_embeddings", false)
    let path = try model.write(to: folder)
    #expect(
      error(opening: path) == .missingTensor("lm_head.weight", shape: [64, 48], model: path))
  }

  @Test mutating func aWeightInATypeThatIsNotComputedWithIsNamed() throws {
    model.put("model.norm.weight", .i32, [48], [UInt8](repeating: 0, count: 192))
    let path = try model.write(to: folder)
    let error = #expect(throws: SafetensorsFileError.self) {
      try LanguageModel(Checkpoint(path: path))
    }
    #expect(error?.description.contains("model.norm.weight") == true)
    #expect(error?.description.contains("I32") == true)
  }

  @Test(arguments: [-1, 64, 1 << 30] as [Int32])
  func aTokenOutsideTheVocabularyIsNamed(id: Int32) throws {
    let decoder = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    #expect(throws: ModelError.tokenOutOfRange(id: Int(id), vocabulary: 64, source: "tokens")) {
      try decoder.logits(of: [3, id])
    }
    #expect(throws: ModelError.tokenOutOfRange(id: Int(id), vocabulary: 64, source: "tokens")) {
      try decoder.generate(after: [id], count: 2, sampling: Sampling())
    }
    #expect(throws: ModelError.tokenOutOfRange(id: Int(id), vocabulary: 64, source: "the text")) {
      try decoder.perplexity(of: TokenWindows(count: 2, length: 2, ids: [1, 2, 3, id]))
    }
  }

  @Test func moreTokensThanTheContextAreRefused() throws {
    let checkpoint = try Checkpoint(path: model.write(to: folder))
    #expect(throws: ModelError.contextTooLong(asked: 65, context: 64)) {
      try LanguageModel(checkpoint, positions: 65)
    }
    let decoder = try LanguageModel(checkpoint)
    let ids = [Int32](repeating: 5, count: 65)
    #expect(try decoder.logits(of: Array(ids.prefix(64))).rows == 64)
    #expect(throws: ModelError.contextTooLong(asked: 65, context: 64)) {
      try decoder.logits(of: ids)
    }
    #expect(throws: ModelError.contextTooLong(asked: 65, context: 64)) {
      try decoder.generate(after: Array(ids.prefix(60)), count: 5, sampling: Sampling())
    }
    #expect(throws: ModelError.contextTooLong(asked: 65, context: 64)) {
      try decoder.perplexity(of: TokenWindows(count: 1, length: 65, ids: ids))
    }
  }

  /// A model opened for short sequences has angles for no more than these.
  @Test func moreTokensThanTheModelWasOpenedForAreRefused() throws {
    let decoder = try LanguageModel(Checkpoint(path: model.write(to: folder)), positions: 8)
    let ids = [Int32](repeating: 5, count: 9)
    #expect(try decoder.logits(of: Array(ids.prefix(8))).rows == 8)
    let error = #expect(throws: ModelError.self) { try decoder.logits(of: ids) }
    #expect(error == .tooManyPositions(asked: 9, positions: 8))
    #expect(error?.description == "9 tokens were asked for, the model was opened for 8")
    #expect(throws: ModelError.tooManyPositions(asked: 9, positions: 8)) {
      try decoder.generate(after: [1], count: 8, sampling: Sampling())
    }
    #expect(throws: ModelError.tooManyPositions(asked: 9, positions: 8)) {
      try decoder.perplexity(of: TokenWindows(count: 1, length: 9, ids: ids))
    }
    // Beyond the context opening it for more would not help.
    #expect(throws: ModelError.contextTooLong(asked: 65, context: 64)) {
      try decoder.logits(of: [Int32](repeating: 5, count: 65))
    }
  }

  @Test(arguments: [-1, 64, 2_000_000_000] as [Int32])
  func aStartTokenOutsideTheVocabularyIsNamed(id: Int32) throws {
    var model = model
    model.set("bos_token_id", .integer(Int(id)))
    let path = try model.write(to: folder)
    let checkpoint = try Checkpoint(path: path)
    // Most uses of a model never ask for it.
    let decoder = try LanguageModel(checkpoint)
    let error = #expect(throws: ModelError.self) {
      try decoder.configuration.startToken(of: checkpoint)
    }
    #expect(
      error?.description
        == "\(path)/config.json: bos_token_id is \(id), outside the vocabulary of 64 (vocab_size)")
    // Found before any work.
    #expect(throws: ModelError.self) {
      try PruneRun(path, PruneOptions(method: .wanda, output: folder["out"]))
    }
    model.set("bos_token_id", 63)
    let other = try Checkpoint(path: model.write(to: folder, "other"))
    #expect(try ModelConfiguration(other).startToken(of: other) == 63)
  }

  @Test func oneOfSomethingIsNotSeveral() {
    #expect(
      EvaluationError.nothingToPredict(windows: 1, length: 1).description
        == "there is no token to predict in 1 window of 1 token")
    #expect(
      EvaluationError.nothingToPredict(windows: 0, length: 5).description
        == "there is no token to predict in 0 windows of 5 tokens")
    #expect(
      EvaluationError.tooFewTokens(path: "a", found: 1, needed: 2).description
        == "a: the text holds 1 token, one window needs 2")
    #expect(
      CalibrationError.tooLittleText(path: "a", tokens: 0, samples: 1, length: 1).description
        == "a: 1 window of 1 needs 1 token, the text holds 0")
  }

  @Test(arguments: [(0, 5), (3, 1)])
  func nothingToPredictIsAnError(windows: Int, length: Int) throws {
    let decoder = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    #expect(throws: EvaluationError.nothingToPredict(windows: windows, length: length)) {
      try decoder.perplexity(
        of: TokenWindows(
          count: windows, length: length, ids: [Int32](repeating: 1, count: windows * length)))
    }
  }
}

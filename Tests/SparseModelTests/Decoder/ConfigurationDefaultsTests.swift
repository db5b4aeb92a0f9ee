import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What config.json means as transformers 5.24 reads it: all numbers are those that its classes gave.
@Suite struct ConfigurationDefaultsTests {
  private func read(_ members: JSON) throws -> ModelConfiguration {
    let base: JSON = [
      "model_type": "llama", "hidden_size": 16, "num_attention_heads": 2,
      "num_key_value_heads": 2,
      "num_hidden_layers": 1, "intermediate_size": 8, "vocab_size": 8,
      "max_position_embeddings": 64,
    ]
    return try ModelConfiguration(json: .object((base.object ?? []) + (members.object ?? [])))
  }

  @Test func missingKeysMeanTheDefaultsOfTheFamily() throws {
    func read(_ family: String) throws -> ModelConfiguration {
      try ModelConfiguration(json: ["model_type": .string(family)])
    }
    let (llama, mistral, qwen) = try (read("llama"), read("mistral"), read("qwen2"))
    for family in [llama, mistral, qwen] {
      #expect((family.width, family.blocks, family.heads) == (4096, 32, 32))
      #expect((family.headWidth, family.ropeTheta, family.normEpsilon) == (128, 10_000, 1e-6))
      #expect(!family.tiesEmbeddings && !family.hasMLPBias && !family.hasAttentionOutputBias)
    }
    #expect([llama, mistral, qwen].map(\.mlpWidth) == [11_008, 14_336, 22_016])
    #expect([llama, mistral, qwen].map(\.keyValueHeads) == [32, 8, 32])
    #expect([llama, mistral, qwen].map(\.vocabulary) == [32_000, 32_000, 151_936])
    // Mistral's 131,072 positions are cut to its window.
    #expect([llama, mistral, qwen].map(\.contextLength) == [2048, 4096, 32_768])
    #expect([llama, mistral, qwen].map(\.bosToken) == [1, 1, nil])
    #expect([llama, mistral, qwen].map(\.eosTokens) == [[2], [2], []])
    #expect(try self.read(["bos_token_id": nil, "eos_token_id": nil]).bosToken == nil)
    #expect(try self.read(["eos_token_id": nil]).eosTokens == [])
    #expect(try self.read(["model_type": "qwen2", "num_key_value_heads": nil]).keyValueHeads == 2)
  }

  /// The reference file has every family; the numbers that are checked above come from it.
  @Test(.enabled(if: Shared.exists), arguments: ["llama", "mistral", "qwen2"])
  func theDefaultsAreThoseOfTheReference(family: String) throws {
    let file = try MappedFile(path: Shared.path("golden/architectures/defaults.json"))
    let expected = try ModelConfiguration(
      json: #require(JSON(parsing: file.bytes, takesNonFinite: true)[family]))
    #expect(try ModelConfiguration(json: ["model_type": .string(family)]) == expected)
  }

  @Test(
    arguments: [
      ("{}", 10_000, RopeScaling.none),
      (#"{"rope_scaling": null, "rope_parameters": LINEAR}"#, 10_000, .linear(factor: 2)),
      (#"{"rope_scaling": {}, "rope_parameters": LINEAR}"#, 10_000, .linear(factor: 2)),
      (#"{"rope_scaling": LINEAR, "rope_parameters": AT100}"#, 10_000, .linear(factor: 2)),
      (
        #"{"rope_scaling": LINEAR, "rope_theta": 500, "rope_parameters": AT100}"#, 500,
        .linear(factor: 2)
      ),
      (
        #"{"rope_scaling": {"rope_type": "linear", "factor": 2, "rope_theta": 7}, "rope_theta": 500}"#,
        7, .linear(factor: 2)
      ),
      (#"{"rope_theta": 500, "rope_parameters": AT100}"#, 100, .none),
      (#"{"rope_scaling": {"type": "linear", "factor": 2}}"#, 10_000, .linear(factor: 2)),
      (
        #"{"rope_scaling": {"type": "linear", "rope_type": "default", "factor": 2}}"#, 10_000,
        .none
      ),
      (#"{"rope_scaling": {"factor": 2}, "rope_parameters": LINEAR}"#, 10_000, .none),
      (#"{"rope_scaling": {"rope_type": "dynamic", "factor": 2}}"#, 10_000, .none),
      (
        #"{"rope_scaling": LLAMA3}"#, 10_000,
        .llama3(factor: 8, lowFactor: 1, highFactor: 4, originalContext: 64)
      ),
      (
        #"{"rope_scaling": LLAMA3, "original_max_position_embeddings": 16}"#, 10_000,
        .llama3(factor: 8, lowFactor: 1, highFactor: 4, originalContext: 16)
      ),
    ])
  func theRotaryEmbeddingIsThatOfTheReference(
    text: String, theta: Double, scaling: RopeScaling
  ) throws {
    let configuration = try read(members(text))
    #expect(configuration.ropeTheta == theta)
    #expect(configuration.ropeScaling == scaling)
  }

  private func members(_ text: String) throws -> JSON {
    try JSON(
      parsing: text.replacing("LINEAR", with: #"{"rope_type": "linear", "factor": 2}"#)
        .replacing("AT100", with: #"{"rope_type": "default", "rope_theta": 100}"#)
        .replacing(
          "LLAMA3",
          with: #"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "#
            + #""high_freq_factor": 4}"#))
  }

  /// Those that the reference refuses, or whose arithmetic is not here.
  @Test(
    arguments: [
      (
        #"{"rope_scaling": {"rope_type": "yarn", "factor": 4}, "rope_parameters": AT100}"#,
        ConfigurationError.unsupported(key: "rope_scaling.rope_type", value: "yarn")
      ),
      (
        #"{"rope_parameters": {"full_attention": {"rope_type": "default"}}}"#,
        .unsupported(key: "rope_parameters.full_attention", value: "an object")
      ),
      (
        #"{"rope_parameters": {"partial_rotary_factor": 0.5}}"#,
        .unsupported(key: "rope_parameters.partial_rotary_factor", value: "0.5")
      ),
      (#"{"rope_theta": null}"#, .wrongType(key: "rope_theta", expected: "a number")),
      (
        #"{"rope_scaling": {"rope_type": null, "type": "linear", "factor": 2}}"#,
        .wrongType(key: "rope_scaling.rope_type", expected: "a string")
      ),
      (#"{"rope_scaling": {"rope_type": "linear"}}"#, .missing(key: "factor")),
      (
        #"{"rope_scaling": "linear"}"#, .wrongType(key: "rope_scaling", expected: "an object")
      ),
    ])
  func whatTheRotaryEmbeddingCannotBeIsNamed(text: String, expected: ConfigurationError) {
    #expect(throws: expected) { try read(members(text)) }
  }

  @Test(
    arguments: [
      (#"{"model_type": "mistral"}"#, 64),
      (#"{"model_type": "mistral", "max_position_embeddings": 10000}"#, 4096),
      (
        #"{"model_type": "mistral", "max_position_embeddings": 10000, "sliding_window": null}"#,
        10_000
      ),
      (#"{"model_type": "mistral", "sliding_window": 8, "use_sliding_window": false}"#, 8),
      (#"{"model_type": "llama", "sliding_window": 8, "use_sliding_window": true}"#, 64),
      (#"{"model_type": "qwen2", "sliding_window": 8}"#, 64),
      (#"{"model_type": "qwen2", "sliding_window": 8, "use_sliding_window": true}"#, 64),
      (qwenWithWindow + "}", 8), (qwenWithWindow + #", "layer_types": ["full_attention"]}"#, 64),
    ])
  func aSlidingWindowShortensTheContextWhereABlockHasIt(text: String, context: Int) throws {
    #expect(try read(JSON(parsing: text)).contextLength == context)
  }

  /// Only Llama's linears have the biases that config.json asks for.
  @Test func biasesFollowTheFamily() throws {
    func biases(_ family: String) throws -> [Bool] {
      let configuration = try read(
        ["model_type": .string(family), "attention_bias": true, "mlp_bias": true])
      return [
        configuration.hasQueryKeyValueBias, configuration.hasAttentionOutputBias,
        configuration.hasMLPBias,
      ]
    }
    #expect(try biases("llama") == [true, true, true])
    #expect(try biases("mistral") == [false, false, false])
    #expect(try biases("qwen2") == [true, false, false])
  }

  @Test func notANumberIsRefusedWhereItIsUsed() throws {
    #expect(try read(["attention_dropout": .number(.nan)]).heads == 2)
    #expect(throws: ConfigurationError.self) { try read(["rms_norm_eps": .number(.nan)]) }
    #expect(throws: ConfigurationError.self) { try read(["rope_theta": .number(.infinity)]) }
    #expect(throws: ConfigurationError.self) { try read(["hidden_size": .number(.nan)]) }
  }

  /// The start of a Qwen2 whose blocks all have a window.
  private static let qwenWithWindow =
    #"{"model_type": "qwen2", "sliding_window": 8, "use_sliding_window": true, "#
    + #""max_window_layers": 0"#
}

import SparseCore
import Testing

@testable import SparseModel

@Suite struct ModelConfigurationTests {
  /// The keys that every Llama config has.
  static let minimal: JSON = [
    "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152,
    "rms_norm_eps": 1e-5, "max_position_embeddings": 8192, "tie_word_embeddings": true,
  ]

  func changing(_ key: String, to value: JSON?) -> JSON {
    guard case .object(var members) = Self.minimal else { return .null }
    members.removeAll { $0.key == key }
    if let value { members.append(JSON.Member(key: key, value: value)) }
    return .object(members)
  }

  @Test func readsALlamaAndFillsInWhatTheFamilyImplies() throws {
    let configuration = try ModelConfiguration(json: Self.minimal)
    #expect(configuration.width == 576)
    #expect(configuration.headWidth == 64)
    #expect(configuration.ropeTheta == 10_000)
    #expect(configuration.ropeScaling == .none)
    #expect(configuration.tiesEmbeddings)
    #expect(!configuration.hasQueryKeyValueBias)
    #expect((configuration.bosToken, configuration.eosTokens) == (1, [2]))
  }

  @Test func headWidthNeedNotDivideTheWidth() throws {
    let configuration = try ModelConfiguration(json: changing("head_dim", to: 128))
    #expect(configuration.headWidth == 128)
  }

  @Test func qwen2HasBiasesItsConfigDoesNotMention() throws {
    let configuration = try ModelConfiguration(json: changing("model_type", to: "qwen2"))
    #expect(configuration.hasQueryKeyValueBias)
    #expect(!configuration.hasAttentionOutputBias)
  }

  @Test func anEndOfTextTokenMayBeOneOrMany() throws {
    #expect(try ModelConfiguration(json: changing("eos_token_id", to: 2)).eosTokens == [2])
    #expect(
      try ModelConfiguration(json: changing("eos_token_id", to: [2, 7])).eosTokens == [2, 7])
  }

  @Test func aSlidingWindowShortensMistralsContextButNotQwens() throws {
    func contextLength(_ architecture: JSON) throws -> Int {
      guard case .object(var members) = changing("model_type", to: architecture) else { return 0 }
      members.append(JSON.Member(key: "sliding_window", value: 4096))
      return try ModelConfiguration(json: .object(members)).contextLength
    }
    #expect(try contextLength("mistral") == 4096)
    #expect(try contextLength("qwen2") == 8192)
  }

  @Test(
    arguments: [
      ("model_type", nil, ConfigurationError.missing(key: "model_type")),
      ("hidden_size", "big", .wrongType(key: "hidden_size", expected: "an integer")),
      ("hidden_size", 0, .outOfRange(key: "hidden_size", value: 0)),
      (
        "num_key_value_heads", 4,
        .notDivisible(key: "num_attention_heads", value: 9, by: "num_key_value_heads", 4)
      ),
      ("hidden_act", "gelu", .unsupported(key: "hidden_act", value: "gelu")),
      (
        "rope_scaling", ["type": "yarn"], .unsupported(key: "rope_scaling.rope_type", value: "yarn")
      ),
      ("partial_rotary_factor", 0.5, .unsupported(key: "partial_rotary_factor", value: "0.5")),
      ("hidden_size", .number(-0.0), .wrongType(key: "hidden_size", expected: "an integer")),
      ("hidden_size", .unsigned(1 << 63), .wrongType(key: "hidden_size", expected: "an integer")),
      ("vocab_size", .integer(1 << 31), .outOfRange(key: "vocab_size", value: 1 << 31)),
      ("rms_norm_eps", 0, .notPositive(key: "rms_norm_eps", value: 0)),
      ("rms_norm_eps", 1e300, .notPositive(key: "rms_norm_eps", value: 1e300)),
      ("rope_theta", -1e4, .notPositive(key: "rope_theta", value: -1e4)),
      (
        "rope_scaling", ["type": "linear", "factor": 1e-300],
        .notPositive(key: "factor", value: 1e-300)
      ),
    ] as [(String, JSON?, ConfigurationError)])
  func namesWhatIsWrong(key: String, value: JSON?, expected: ConfigurationError) {
    #expect(throws: expected) { try ModelConfiguration(json: changing(key, to: value)) }
  }

  @Test func namesAnArchitectureThatIsNotSupportedAndThoseThatAre() {
    let error = #expect(throws: ConfigurationError.self) {
      try ModelConfiguration(json: changing("model_type", to: "mamba"))
    }
    #expect(
      error?.description
        == "the architecture 'mamba' is not supported (supported: llama, mistral, qwen2)")
  }
}

public import SparseCore

/// The shape of a decoder-only language model, as its config.json gives it.
public struct ModelConfiguration: Sendable, Equatable {
  /// The `model_type`: "llama", "mistral", "qwen2".
  public var architecture: String
  /// The width of the residual stream (`hidden_size`).
  public var width: Int
  /// The width between the MLP's two halves (`intermediate_size`).
  public var mlpWidth: Int
  /// The number of decoder blocks (`num_hidden_layers`).
  public var blocks: Int
  /// The number of query heads (`num_attention_heads`).
  public var heads: Int
  /// The number of key and value heads, each shared by `heads / keyValueHeads` query heads.
  public var keyValueHeads: Int
  /// The width of one head (`head_dim`).
  public var headWidth: Int
  /// The number of tokens in the vocabulary (`vocab_size`).
  public var vocabulary: Int
  /// What RMSNorm adds to the mean square (`rms_norm_eps`).
  public var normEpsilon: Float
  /// The base of the rotary embedding's wavelengths (`rope_theta`).
  public var ropeTheta: Double
  /// How the rotary embedding's frequencies are stretched for long contexts.
  public var ropeScaling: RopeScaling
  /// The longest context that the model was made for (`max_position_embeddings`).
  public var contextLength: Int
  /// Whether the output projection is the embedding (`tie_word_embeddings`).
  public var tiesEmbeddings: Bool
  /// Whether q, k and v have biases.
  public var hasQueryKeyValueBias: Bool
  /// Whether the attention's output projection has a bias.
  public var hasAttentionOutputBias: Bool
  /// Whether the MLP's linears have biases (`mlp_bias`).
  public var hasMLPBias: Bool
  /// The token that starts a text, if the model has one (`bos_token_id`).
  public var bosToken: Int32?
  /// The tokens that end a text (`eos_token_id`, one or several).
  public var eosTokens: [Int32]
  /// The blocks after the last one that predict tokens further ahead (`num_nextn_predict_layers`): the forward
  /// pass does without them.
  public var predictionBlocks: Int
  /// Whether 2:4 weights are said to be stored compressed, in the layout `sparse-24-bitmask`.
  public var claimsCompressedWeights: Bool
  /// A setting by which loaders round activations otherwise than to INT8 with a scale for each token
  /// (`quantization_config.….input_activations.dynamic is false`); nil for none.
  public var otherActivations: String?
}

/// How the rotary embedding's frequencies are changed for contexts longer than those trained on.
public enum RopeScaling: Sendable, Equatable {
  /// Not at all.
  case none
  /// Every frequency divided by a factor.
  case linear(factor: Double)
  /// Low frequencies divided by a factor, high ones kept, those between blended (Llama 3.1).
  case llama3(factor: Double, lowFactor: Double, highFactor: Double, originalContext: Int)
}

/// Why a config.json cannot be used; the path is added by who knows it.
public enum ConfigurationError: Error, Equatable {
  /// A key that the forward pass needs is not there.
  case missing(key: String)
  /// A key holds something of another type.
  case wrongType(key: String, expected: String)
  /// A number that makes no sense.
  case outOfRange(key: String, value: Int)
  /// A number that is not above 0, or too large for the arithmetic.
  case notPositive(key: String, value: Double)
  /// Two numbers that must divide each other do not.
  case notDivisible(key: String, value: Int, by: String, Int)
  /// A model family whose forward pass is not here.
  case unsupportedArchitecture(String, supported: [String])
  /// A token id that the vocabulary does not have.
  case outsideVocabulary(key: String, id: Int, vocabulary: Int)
  /// A setting whose arithmetic is not here.
  case unsupported(key: String, value: String)
}

extension ConfigurationError: CustomStringConvertible {
  /// One line that names the key and the value.
  public var description: String {
    switch self {
    case .missing(let key): "\(key) is missing"
    case .wrongType(let key, let expected): "\(key) is not \(expected)"
    case .outOfRange(let key, let value): "\(key) is \(value)"
    case .notPositive(let key, let value): "\(key) is \(value), not a usable number above 0"
    case .notDivisible(let key, let value, let other, let divisor):
      "\(key) is \(value), not a multiple of \(other) \(divisor)"
    case .unsupportedArchitecture(let name, let supported):
      "the architecture '\(name)' is not supported (supported: \(supported.joined(separator: ", ")))"
    case .outsideVocabulary(let key, let id, let vocabulary):
      "\(key) is \(id), outside the vocabulary of \(vocabulary) (vocab_size)"
    case .unsupported(let key, let value): "\(key) '\(value)' is not supported"
    }
  }
}

extension ModelConfiguration {
  /// The configuration that a parsed config.json states.
  ///
  /// Keys that the forward pass does not depend on are ignored; those that would change its
  /// arithmetic to one that this forward pass does not have are refused.
  public init(json: JSON) throws(ConfigurationError) {
    let fields = ConfigurationFields(json: json)
    architecture = try fields.string("model_type")
    guard let family = DecoderArchitecture.named(architecture) else {
      throw .unsupportedArchitecture(architecture, supported: DecoderArchitecture.names)
    }
    let defaults = family.defaults
    width = try fields.positive("hidden_size", default: defaults.width)
    mlpWidth = try fields.positive("intermediate_size", default: defaults.mlpWidth)
    blocks = try fields.positive("num_hidden_layers", default: defaults.blocks)
    heads = try fields.positive("num_attention_heads", default: defaults.heads)
    keyValueHeads = try fields.positive(
      "num_key_value_heads",
      default: fields.has("num_key_value_heads") ? heads : defaults.keyValueHeads ?? heads)
    guard heads % keyValueHeads == 0 else {
      throw .notDivisible(
        key: "num_attention_heads", value: heads, by: "num_key_value_heads", keyValueHeads)
    }
    if let headWidth = try fields.optionalPositive("head_dim") {
      self.headWidth = headWidth
    } else {
      guard width % heads == 0 else {
        throw .notDivisible(key: "hidden_size", value: width, by: "num_attention_heads", heads)
      }
      headWidth = width / heads
    }
    guard headWidth % 2 == 0 else {
      throw .notDivisible(key: "head_dim", value: headWidth, by: "the rotary halves", 2)
    }
    vocabulary = try fields.positive("vocab_size", default: defaults.vocabulary)
    normEpsilon = Float(try fields.positiveNumber("rms_norm_eps", default: 1e-6))
    contextLength = try fields.positive(
      "max_position_embeddings", default: defaults.contextLength)
    (ropeTheta, ropeScaling) = try fields.rope(contextLength: contextLength)
    tiesEmbeddings = try fields.flag("tie_word_embeddings", default: false)
    let asksForBias = try fields.flag("attention_bias", default: false)
    hasQueryKeyValueBias =
      family.biases == .queryKeyValue || family.biases == .configured && asksForBias
    hasAttentionOutputBias = family.biases == .configured && asksForBias
    let asksForMLPBias = try fields.flag("mlp_bias", default: false)
    hasMLPBias = family.biases == .configured && asksForMLPBias
    bosToken =
      fields.has("bos_token_id")
      ? try fields.tokens("bos_token_id").first : defaults.bosToken
    eosTokens =
      fields.has("eos_token_id") ? try fields.tokens("eos_token_id") : defaults.eosTokens

    predictionBlocks = try fields.count("num_nextn_predict_layers", default: 0)

    let activation = try fields.string("hidden_act", default: "silu")
    guard activation == "silu" || activation == "swish" else {
      throw .unsupported(key: "hidden_act", value: activation)
    }
    let rotaryShare = try fields.number("partial_rotary_factor", default: 1)
    guard rotaryShare == 1 else {
      throw .unsupported(key: "partial_rotary_factor", value: "\(rotaryShare)")
    }
    let quantization = fields.value("quantization_config").map(QuantizationFields.init)
    try quantization?.check()
    claimsCompressedWeights = quantization?.claimsCompressedWeights ?? false
    otherActivations = quantization?.otherActivations
    // A sliding window at least as long as the context hides nothing.
    if let window = try family.slidingWindow(fields, blocks: blocks) {
      contextLength = min(contextLength, window)
    }
  }
}

/// Reads typed fields of a config.json.
struct ConfigurationFields {
  let json: JSON

  /// Whether the key is there, be it as null.
  func has(_ key: String) -> Bool { json[key] != nil }

  /// The value of a key; nil for null and for a missing key.
  func value(_ key: String) -> JSON? {
    guard let value = json[key], case .null = value else { return json[key] }
    return nil
  }

  func string(_ key: String, default fallback: String? = nil) throws(ConfigurationError) -> String {
    guard let value = value(key) else {
      guard let fallback else { throw .missing(key: key) }
      return fallback
    }
    guard let string = value.string else { throw .wrongType(key: key, expected: "a string") }
    return string
  }

  func optionalPositive(_ key: String) throws(ConfigurationError) -> Int? {
    guard let value = value(key) else { return nil }
    guard let int = value.int else { throw .wrongType(key: key, expected: "an integer") }
    guard int > 0 && int < 1 << 31 else { throw .outOfRange(key: key, value: int) }
    return int
  }

  func positive(_ key: String, default fallback: Int? = nil) throws(ConfigurationError) -> Int {
    guard let value = try optionalPositive(key) ?? fallback else { throw .missing(key: key) }
    return value
  }

  /// An integer that may be 0.
  func count(_ key: String, default fallback: Int) throws(ConfigurationError) -> Int {
    guard let value = value(key) else { return fallback }
    guard let int = value.int else { throw .wrongType(key: key, expected: "an integer") }
    guard int >= 0 && int < 1 << 31 else { throw .outOfRange(key: key, value: int) }
    return int
  }

  func number(_ key: String, default fallback: Double? = nil) throws(ConfigurationError) -> Double {
    guard let value = value(key) else {
      guard let fallback else { throw .missing(key: key) }
      return fallback
    }
    guard let number = value.double else { throw .wrongType(key: key, expected: "a number") }
    return number
  }

  /// A number above 0 that float32 can hold.
  func positiveNumber(
    _ key: String, default fallback: Double? = nil
  ) throws(ConfigurationError) -> Double {
    let number = try number(key, default: fallback)
    guard Float(number) > 0, Float(number).isFinite else {
      throw .notPositive(key: key, value: number)
    }
    return number
  }

  func flag(_ key: String, default fallback: Bool) throws(ConfigurationError) -> Bool {
    guard let value = value(key) else { return fallback }
    guard let flag = value.bool else { throw .wrongType(key: key, expected: "true or false") }
    return flag
  }

  /// One token id or a list of them; null and a missing key are none.
  func tokens(_ key: String) throws(ConfigurationError) -> [Int32] {
    guard let value = value(key) else { return [] }
    let items = value.array ?? [value]
    var ids: [Int32] = []
    for item in items {
      guard let id = item.int.flatMap(Int32.init(exactly:)) else {
        throw .wrongType(key: key, expected: "a token id")
      }
      ids.append(id)
    }
    return ids
  }
}

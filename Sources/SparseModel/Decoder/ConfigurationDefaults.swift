/// What a config.json without a key means: the defaults of the configuration classes of transformers 5.
struct ConfigurationDefaults: Sendable {
  var width = 4096
  var mlpWidth: Int
  var blocks = 32
  var heads = 32
  /// Nil for as many as there are query heads.
  var keyValueHeads: Int?
  var vocabulary = 32_000
  var contextLength: Int
  var bosToken: Int32? = 1
  var eosTokens: [Int32] = [2]

  /// `sliding_window` of the families that have one.
  static let slidingWindow = 4096
  /// `max_window_layers`: the blocks before the first one with a window.
  static let maxWindowLayers = 28

  static let llama = ConfigurationDefaults(mlpWidth: 11_008, contextLength: 2048)
  static let mistral = ConfigurationDefaults(
    mlpWidth: 14_336, keyValueHeads: 8, contextLength: 131_072)
  static let qwen2 = ConfigurationDefaults(
    mlpWidth: 22_016, keyValueHeads: 32, vocabulary: 151_936, contextLength: 32_768,
    bosToken: nil, eosTokens: [])
}

internal import SparseCore

/// The model families whose forward pass is here.
struct DecoderArchitecture: Sendable {
  /// Which linears of a family have biases.
  enum Biases: Sendable {
    /// None, whatever config.json says.
    case none
    /// Those of q, k and v, whatever config.json says.
    case queryKeyValue
    /// Those that `attention_bias` and `mlp_bias` ask for.
    case configured
  }

  /// What a family does with `sliding_window`.
  enum Window: Sendable {
    /// Nothing.
    case ignored
    /// Every block has the window, unless it is null.
    case always
    /// With `use_sliding_window`, the blocks of `layer_types` or from `max_window_layers` on have it.
    case chosen
  }

  /// The `model_type` of config.json.
  let name: String
  let biases: Biases
  let window: Window
  /// What a config.json without a key means.
  let defaults: ConfigurationDefaults
  /// The tensors of one block.
  let shapes: @Sendable (ModelConfiguration) -> BlockShapes
  /// Makes one block from the tensors of a checkpoint.
  let makeBlock:
    @Sendable (_ index: Int, ModelConfiguration, ModelTensors) throws -> any DecoderBlock

  /// Every family.
  static let all = [
    DecoderArchitecture(
      name: "llama", biases: .configured, window: .ignored, defaults: .llama,
      shapes: LlamaBlock.shapes, makeBlock: LlamaBlock.init),
    DecoderArchitecture(
      name: "mistral", biases: .none, window: .always, defaults: .mistral,
      shapes: LlamaBlock.shapes, makeBlock: LlamaBlock.init),
    DecoderArchitecture(
      name: "qwen2", biases: .queryKeyValue, window: .chosen, defaults: .qwen2,
      shapes: LlamaBlock.shapes,
      makeBlock: LlamaBlock.init),
  ]

  /// The names of all families.
  static var names: [String] { all.map(\.name) }

  /// The family of that name.
  static func named(_ name: String) -> DecoderArchitecture? { all.first { $0.name == name } }

  /// The tokens that the shortest sliding window of any block spans; nil where no block has one.
  func slidingWindow(
    _ fields: ConfigurationFields, blocks: Int
  ) throws(ConfigurationError) -> Int? {
    let key = "sliding_window"
    func span() throws(ConfigurationError) -> Int? {
      fields.has(key) ? try fields.optionalPositive(key) : ConfigurationDefaults.slidingWindow
    }
    switch window {
    case .ignored: return nil
    case .always: return try span()
    case .chosen:
      guard try fields.flag("use_sliding_window", default: false) else { return nil }
      if let types = fields.value("layer_types")?.array {
        return types.contains("sliding_attention") ? try span() : nil
      }
      let first = try fields.count(
        "max_window_layers", default: ConfigurationDefaults.maxWindowLayers)
      return first < blocks ? try span() : nil
    }
  }
}

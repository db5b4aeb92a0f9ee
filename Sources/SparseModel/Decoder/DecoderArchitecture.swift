/// The model families whose forward pass is here.
struct DecoderArchitecture: Sendable {
  /// The `model_type` of config.json.
  let name: String
  /// Whether q, k and v have biases although config.json does not say so.
  var hasQueryKeyValueBias = false
  /// The tensors of one block.
  let shapes: @Sendable (ModelConfiguration) -> BlockShapes
  /// Makes one block from the tensors of a checkpoint.
  let makeBlock:
    @Sendable (_ index: Int, ModelConfiguration, ModelTensors) throws -> any DecoderBlock

  /// Every family, one line each.
  static let all = [
    DecoderArchitecture(name: "llama", shapes: LlamaBlock.shapes, makeBlock: LlamaBlock.init),
    DecoderArchitecture(name: "mistral", shapes: LlamaBlock.shapes, makeBlock: LlamaBlock.init),
    DecoderArchitecture(
      name: "qwen2", hasQueryKeyValueBias: true, shapes: LlamaBlock.shapes,
      makeBlock: LlamaBlock.init),
  ]

  /// The names of all families.
  static var names: [String] { all.map(\.name) }

  /// The family of that name.
  static func named(_ name: String) -> DecoderArchitecture? { all.first { $0.name == name } }
}

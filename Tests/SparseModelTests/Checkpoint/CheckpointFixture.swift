internal import SparseCore
internal import TestSupport

/// Small checkpoints on the disk, their bytes known from their tensors' names.
struct CheckpointFixture {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static func spec(
    _ name: String, _ dtype: DType = .f32, _ shape: [Int] = [2, 4]
  ) -> TensorSpec {
    TensorSpec(name: name, dtype: dtype, shape: shape)
  }

  static func bytes(_ tensor: TensorSpec) -> [UInt8] {
    var random = SplitMix64(seed: tensor.name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    let count = tensor.shape.reduce(tensor.dtype.bits / 8, *)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Writes a safetensors file and returns its path.
  @discardableResult
  func file(
    _ name: String, _ tensors: [TensorSpec], metadata: SafetensorsMetadata = ["format": "pt"]
  ) throws -> String {
    try folder.write("", to: name)  // makes the folders
    let writer = try SafetensorsWriter(path: folder[name], tensors: tensors, metadata: metadata)
    for tensor in tensors {
      try writer.write(ByteView(copying: Self.bytes(tensor)), as: tensor.name)
    }
    try writer.commit()
    return folder[name]
  }

  /// Writes a folder with one file of weights, and returns its path.
  func single(_ name: String = "model") throws -> String {
    try file(
      "\(name)/model.safetensors",
      [
        Self.spec("a"), Self.spec("norm", .f32, [4]), Self.spec("b", .bf16), Self.spec("ids", .i64),
      ])
    try folder.write("{}", to: "\(name)/config.json")
    try folder.write("{\"model\":{}}", to: "\(name)/tokenizer.json")
    return folder[name]
  }

  /// Writes a folder with two files of weights and an index, and returns its path.
  func sharded(_ name: String = "model") throws -> String {
    try file("\(name)/model-00001-of-00002.safetensors", [Self.spec("a"), Self.spec("é")])
    try file(
      "\(name)/model-00002-of-00002.safetensors", [Self.spec("b", .f16)],
      metadata: ["format": "pt", "note": "second"])
    try folder.write(
      """
      {"metadata":{"total_size":80,"total_parameters":24},"weight_map":{
        "b":"model-00002-of-00002.safetensors","a":"model-00001-of-00002.safetensors",
        "é":"model-00001-of-00002.safetensors"}}
      """, to: "\(name)/model.safetensors.index.json")
    try folder.write("{}", to: "\(name)/config.json")
    return folder[name]
  }
}

extension ByteView {
  /// A copy of the bytes.
  var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

internal import SparseCore
internal import SparseModel
internal import TestSupport

/// A checkpoint in memory, to be changed and written as a folder.
struct EditedModel {
  /// A tensor with its bytes.
  struct Tensor {
    var spec: TensorSpec
    var bytes: [UInt8]
  }

  /// The members of config.json; nil for no file.
  var config: [JSON.Member]?
  /// The tensors in the order of the file.
  var tensors: [Tensor]
  /// The file's own texts.
  var metadata: SafetensorsMetadata = ["format": "pt"]
  /// Other files: their names and where they are copied from.
  var companions: [(name: String, source: String)] = []

  /// Everything that a fixture's folder says.
  init(_ fixture: ModelFixture) throws {
    let checkpoint = try fixture.checkpoint()
    config = try JSON(parsing: MappedFile(path: fixture.file("config.json")).bytes).object
    tensors = try checkpoint.tensors.map { tensor in
      Tensor(spec: tensor.info.spec, bytes: try checkpoint.bytes(of: tensor.name).array)
    }
    companions = checkpoint.tokenizerPath.map { [("tokenizer.json", $0)] } ?? []
  }

  /// Sets or removes a key of config.json.
  mutating func set(_ key: String, _ value: JSON?) {
    config?.removeAll { $0.key == key }
    if let value { config?.append(JSON.Member(key: key, value: value)) }
  }

  /// Removes a tensor.
  mutating func remove(_ name: String) { tensors.removeAll { $0.spec.name == name } }

  /// Replaces or adds a tensor.
  mutating func put(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) {
    remove(name)
    tensors.append(Tensor(spec: TensorSpec(name: name, dtype: dtype, shape: shape), bytes: bytes))
  }

  /// Replaces or adds a float32 tensor.
  mutating func put(_ name: String, _ shape: [Int], _ values: [Float]) {
    put(
      name, .f32, shape,
      values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
      })
  }

  /// Sets one value of a bfloat16 tensor.
  mutating func setBFloat16(_ name: String, at index: Int, to value: Float) {
    for place in tensors.indices where tensors[place].spec.name == name {
      tensors[place].bytes[2 * index] = UInt8(truncatingIfNeeded: value.bitPattern >> 16)
      tensors[place].bytes[2 * index + 1] = UInt8(truncatingIfNeeded: value.bitPattern >> 24)
    }
  }

  /// Writes `NAME/model.safetensors` with what is beside it, and returns the path of the folder.
  @discardableResult
  func write(to folder: TemporaryFolder, _ name: String = "model") throws -> String {
    if let config { try folder.write(JSON.object(config).text(), to: "\(name)/config.json") }
    for companion in companions {
      try folder.write(
        MappedFile(path: companion.source).bytes.array, to: "\(name)/\(companion.name)")
    }
    try writeFile(folder, "\(name)/model.safetensors", tensors)
    return folder[name]
  }

  /// Writes the folder with the tensors dealt out to several files and an index of them.
  func writeShards(to folder: TemporaryFolder, _ name: String = "model", count: Int) throws
    -> String
  {
    if let config { try folder.write(JSON.object(config).text(), to: "\(name)/config.json") }
    var map: [JSON.Member] = []
    for shard in 0..<count {
      let file = "model-0000\(shard + 1)-of-0000\(count).safetensors"
      let part = tensors.indices.filter { $0 % count == shard }.map { tensors[$0] }
      try writeFile(folder, "\(name)/\(file)", part)
      map += part.map { JSON.Member(key: $0.spec.name, value: .string(file)) }
    }
    try folder.write(
      JSON.object([JSON.Member(key: "weight_map", value: .object(map))]).text(),
      to: "\(name)/model.safetensors.index.json")
    return folder[name]
  }

  private func writeFile(_ folder: TemporaryFolder, _ path: String, _ tensors: [Tensor]) throws {
    try folder.write("", to: path)  // makes the folders
    let writer = try SafetensorsWriter(
      path: folder[path], tensors: tensors.map(\.spec), metadata: metadata)
    for tensor in tensors {
      try writer.write(ByteView(copying: tensor.bytes), as: tensor.spec.name)
    }
    try writer.commit()
  }
}

public import SparseCore

/// What a checkpoint that is made from another one has in place of some of its tensors, and what its config.json says besides.
public struct CheckpointChanges: Sendable {
  private var tensors: [ExactString: [TensorSpec]]
  /// Values for top-level keys of config.json; nil removes the key.
  ///
  /// It says something only where the output is a folder and the input has a config.json.
  public var configuration: [String: JSON?]

  /// By default no change at all.
  public init(tensors: [String: [TensorSpec]] = [:], configuration: [String: JSON?] = [:]) {
    self.tensors = Dictionary(uniqueKeysWithValues: tensors.map { (ExactString($0), $1) })
    self.configuration = configuration
  }

  /// The tensors that stand in place of the input's tensor of a name: none, itself with another type,
  /// several; nil where that one stays as it is.
  public subscript(tensor name: String) -> [TensorSpec]? {
    get { tensors[ExactString(name)] }
    set { tensors[ExactString(name)] = newValue }
  }

  /// Whether any tensor is replaced.
  var replacesTensors: Bool { !tensors.isEmpty }

  /// The bytes of all tensors that the output has.
  func byteCount(of input: Checkpoint) -> Int {
    input.tensors.reduce(0) { sum, tensor in
      sum + (self[tensor: tensor.name]?.reduce(0) { $0 + $1.byteCount } ?? tensor.byteCount)
    }
  }

  /// The tensors of the output's file that is made from a file of the input.
  func layout(ofFile number: Int, of input: Checkpoint) throws(SafetensorsFileError) -> [TensorInfo]
  {
    let specs = input.tensors.filter { $0.file == number }.flatMap {
      self[tensor: $0.name] ?? [$0.info.spec]
    }
    do throws(SafetensorsError) {
      return try SafetensorsHeader(layingOut: specs, metadata: SafetensorsMetadata()).tensors
    } catch {
      throw SafetensorsFileError(path: input.files[number].path, reason: error)
    }
  }

  /// Writes the input's config.json with its keys set or removed; what it said besides stays in its order.
  func writeConfiguration(of input: Checkpoint, to folder: AtomicFolder) throws {
    guard !configuration.isEmpty, let path = input.configPath else { return }
    var members = try input.configurationJSON()?.object ?? []
    members.removeAll { configuration[$0.key] != nil }
    for (key, value) in configuration.sorted(by: { $0.key < $1.key }) {
      if let value { members.append(JSON.Member(key: key, value: value)) }
    }
    try AtomicFile.write(
      Array((JSON.object(members).text(pretty: true, keepsNonFinite: true) + "\n").utf8),
      to: Path.join(folder.temporaryPath, Path.name(of: path)),
      finalPath: Path.join(folder.path, Path.name(of: path)))
  }
}

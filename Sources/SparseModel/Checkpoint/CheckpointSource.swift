internal import SparseCore

/// What a MODEL argument leads to: a file with weights, or the index of several.
struct CheckpointSource {
  static let fileName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"

  /// The folder that the weights are in.
  let folder: String
  /// Whether the argument stands for the whole folder.
  let isFolder: Bool
  /// The one file with weights, where there is no index.
  let file: String
  /// The index.
  let index: String?

  init(path: String) throws {
    switch try FileSystem.kind(of: path) {
    case nil: throw MisplacedModel(missing: path) ?? FileError.absent(path)
    case .folder: self = try Self.folder(Path.withoutTrailingSlashes(path))
    case .file, .other:
      let isIndex = path.hasSuffix(".json")
      self.init(
        folder: Path.folder(of: path), isFolder: isIndex, file: path, index: isIndex ? path : nil)
    }
  }

  private init(folder: String, isFolder: Bool, file: String, index: String?) {
    self.folder = folder
    self.isFolder = isFolder
    self.file = file
    self.index = index
  }

  /// The weights of a folder, in the order of preference of `transformers`.
  private static func folder(_ folder: String) throws -> CheckpointSource {
    let file = Path.join(folder, fileName)
    if FileSystem.isTaken(file) {
      return CheckpointSource(folder: folder, isFolder: true, file: file, index: nil)
    }
    let index = Path.join(folder, indexName)
    if FileSystem.isTaken(index) {
      return CheckpointSource(folder: folder, isFolder: true, file: index, index: index)
    }
    let others = try FileSystem.names(in: folder).filter { $0.hasSuffix(".safetensors") }
    guard let only = others.first else {
      throw try MisplacedModel(folder: folder) ?? CheckpointError.noWeights(folder: folder)
    }
    if others.allSatisfy({ $0.hasPrefix("adapter_") }) {
      throw MisplacedModel.adapter(path: folder)
    }
    if others.count > 1 { throw CheckpointError.severalWeights(folder: folder, files: others) }
    return CheckpointSource(
      folder: folder, isFolder: true, file: Path.join(folder, only), index: nil)
  }
}

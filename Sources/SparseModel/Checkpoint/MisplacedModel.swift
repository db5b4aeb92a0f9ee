public import SparseCore

/// What a path leads to that was taken for a model: each case says what it is and what to do.
public enum MisplacedModel: Error, Equatable, Sendable {
  /// Nothing on the disk, but the name of a model on the hub.
  case hubName(String)
  /// A web address.
  case webAddress(String)
  /// The folder in which a hub's client keeps all versions of a model.
  case hubCache(folder: String, snapshot: String?)
  /// The folder in which a hub's client keeps all models.
  case hubCaches(folder: String, first: String)
  /// What is added to a model's weights, without the model.
  case adapter(path: String)
  /// Weights in another format.
  case foreign(path: String, file: String, ForeignFile)

  /// What a path at which there is nothing means; nil where it is nothing but a path.
  init?(missing path: String) {
    if FileSystem.isTaken(path) { return nil }
    if path.contains("://") {
      self = .webAddress(path)
      return
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let isName = parts.allSatisfy { part in
      part.utf8.first.map { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "~") } ?? false
        && part.utf8.allSatisfy { byte in
          "-_.".utf8.contains(byte) || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte & 0xDF
        }
    }
    let isFile = [".safetensors", ".json"].contains(where: path.hasSuffix)
    guard parts.count == 2, isName, !isFile, !FileSystem.isTaken(String(parts[0])) else {
      return nil
    }
    self = .hubName(path)
  }

  /// What a folder without safetensors files is; nil where nothing tells.
  init?(folder: String) throws {
    let names = try FileSystem.names(in: folder)
    if names.contains("snapshots"), names.contains("refs") || names.contains("blobs") {
      self = .hubCache(folder: folder, snapshot: try Self.snapshot(in: folder))
    } else if let first = names.first(where: { $0.hasPrefix("models--") }) {
      self = .hubCaches(folder: folder, first: first)
    } else if names.contains("adapter_config.json") {
      self = .adapter(path: folder)
    } else if let (file, kind) = names.lazy.compactMap({ name in
      ForeignFile.kind(named: name).map { (name, $0) }
    }).first {
      let bytes = try? MappedFile(path: Path.join(folder, file)).bytes
      self = .foreign(
        path: folder, file: file, bytes.flatMap { ForeignFile($0, name: file) } ?? kind)
    } else {
      return nil
    }
  }

  /// The snapshot that `refs/main` names, or the only one.
  private static func snapshot(in folder: String) throws -> String? {
    let place = Path.join(folder, "snapshots")
    let all = try FileSystem.kind(of: place) == .folder ? FileSystem.names(in: place) : []
    let reference = (try? MappedFile(path: Path.join(folder, "refs/main")))?.bytes
    let main = reference?.withUnsafeBytes { bytes in
      String(decoding: bytes.prefix(100), as: UTF8.self).prefix { !$0.isWhitespace }
    }
    let name = main.flatMap { main in all.first { $0 == main } } ?? (all.count == 1 ? all[0] : nil)
    return name.map { Path.join(place, $0) }
  }

  /// Whether a tensor is one of a low-rank adapter (LoRA), as peft names them.
  static func isOfAdapter(_ tensor: String) -> Bool {
    [".lora_A.", ".lora_B.", ".lora_embedding_A", ".lora_embedding_B"].contains(
      where: tensor.contains)
  }
}

extension MisplacedModel: CustomStringConvertible {
  /// One line: the path, what is there, and what to do.
  public var description: String {
    switch self {
    case .hubName(let name):
      "\(name): no such file or folder; if it names a model on the hub, download it first: "
        + "'hf download \(name) --local-dir \(Path.name(of: name))'"
    case .webAddress(let address):
      "\(address): a web address; download the model first and name its folder"
    case .hubCache(let folder, let snapshot?):
      "\(folder): the cache of a hub's client with all versions of a model; name one: \(snapshot)"
    case .hubCache(let folder, nil):
      "\(folder): the cache of a hub's client with all versions of a model; "
        + "name the folder of one in \(Path.join(folder, "snapshots"))"
    case .hubCaches(let folder, let first):
      "\(folder): the cache of a hub's client with all its models; "
        + "name a version of one, a folder in \(Path.join(Path.join(folder, first), "snapshots"))"
    case .adapter(let path):
      "\(path): an adapter (LoRA), not a model: merge it into its base model first, "
        + "such as with merge_and_unload of peft"
    case .foreign(let path, let file, let kind):
      "\(path): no safetensors here; \(JSON.string(file).text()) is \(kind)"
    }
  }
}

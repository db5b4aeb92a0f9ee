internal import SparseCore

/// Why a checkpoint is not written where it was to go: found before any work, or when something has got its name since.
public enum CheckpointOutputError: Error, Equatable, Sendable {
  /// Something has the output's name already.
  case exists(path: String)
  /// The output is the input.
  case sameAsInput(path: String)
  /// The output lies within the input's folder.
  case insideInput(path: String, input: String)
  /// The input lies within the output, which would be replaced.
  case aroundInput(path: String, input: String)
  /// A folder was to be replaced that holds something other than a checkpoint.
  case notACheckpoint(path: String)
  /// The input is a file, so the output is one, and was to be cut into several.
  case fileInShards(path: String)
  /// The input is a folder, so the output is one, and its name says that it is a file.
  case folderNamedLikeFile(path: String)
  /// The input is a folder, so the output is one, and its name belongs to a file.
  case isFile(path: String)
  /// The input is a file, so the output is one, and its name belongs to a folder.
  case isFolder(path: String)
}

extension CheckpointOutputError {
  /// Gives an output its name, and says of a name that was taken during the work what is said of one before it.
  static func naming(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch FileError.exists(let path) {
      throw CheckpointOutputError.exists(path: path)
    }
  }
}

extension CheckpointOutputError: CustomStringConvertible {
  /// One line: the path, then why it is refused.
  public var description: String {
    switch self {
    case .exists(let path): "\(path): exists already; --force replaces it"
    case .sameAsInput(let path): "\(path): is the input, which is never overwritten"
    case .insideInput(let path, let input): "\(path): lies within the input \(input)"
    case .aroundInput(let path, let input): "\(path): the input \(input) lies within it"
    case .notACheckpoint(let path):
      "\(path): is a folder without safetensors files, which is not replaced"
    case .fileInShards(let path):
      "\(path): the input is a file, so the output is one, too, and takes no shard size"
    case .folderNamedLikeFile(let path):
      "\(path): the input is a folder, so the output is one too and needs a folder's name"
    case .isFile(let path): "\(path): is a file; the input is a folder, so the output is one too"
    case .isFolder(let path): "\(path): is a folder; the input is a file, so the output is one too"
    }
  }
}

/// A place for a checkpoint made from another one, checked against all that could be lost there.
public struct CheckpointOutput: Sendable {
  /// The file or folder that will be written: a folder exactly if the input is one.
  public let path: String
  /// Whether something there is to be replaced.
  public let force: Bool
  /// The bytes of tensors that a file of a folder has at most, a file of a single larger one apart; nil for the
  /// files of the input.
  public let shardSize: Int?

  /// What the usual name of a pruned checkpoint adds to the input's.
  public static let prunedSuffix = "2of4"

  /// Checks the place `path` for what is made from `input`.
  ///
  /// - Parameters:
  ///   - path: nil for the usual place: `model-2of4.safetensors` beside `model.safetensors`, and
  ///     `NAME-2of4` beside the folder `NAME`.
  ///   - suffix: what the usual name adds to the input's.
  ///   - force: allows what is there to be replaced: a file by a file, a checkpoint folder or an
  ///     empty folder by a folder.
  ///   - shardSize: the bytes of tensors that a file of a folder has at most; nil for the files of the input.
  /// - Throws: `CheckpointOutputError` or `FileError`.
  public init(
    _ path: String? = nil, for input: Checkpoint, suffix: String = Self.prunedSuffix,
    force: Bool = false, shardSize: Int? = nil
  ) throws {
    self.path = try Self.path(path, for: input, suffix: suffix)
    self.force = force
    self.shardSize = shardSize
    if !input.isFolder && shardSize != nil {
      throw CheckpointOutputError.fileInShards(path: self.path)
    }
    if input.isFolder {
      try checkFolder(input)
    } else {
      try checkFile(input)
    }
  }

  /// The place for what is made from `input`, unchecked.
  static func path(
    _ path: String?, for input: Checkpoint, suffix: String = prunedSuffix
  ) throws -> String {
    Path.withoutTrailingSlashes(try path ?? usualPath(for: input, suffix))
  }

  private static func usualPath(for input: Checkpoint, _ suffix: String) throws -> String {
    if input.isFolder {
      let isNamed = ![".", "..", "/"].contains(Path.name(of: input.folder))
      return "\(isNamed ? input.folder : try FileSystem.resolved(input.folder))-\(suffix)"
    }
    let ending = ".safetensors"
    let stem = input.path.hasSuffix(ending) ? input.path.dropLast(ending.count) : input.path[...]
    return "\(stem)-\(suffix)\(ending)"
  }

  private func checkFile(_ input: Checkpoint) throws {
    if let identity = try FileSystem.identity(of: path) {
      if try identity == FileSystem.identity(of: input.path) {
        throw CheckpointOutputError.sameAsInput(path: path)
      }
    }
    switch try FileSystem.kind(of: path) {
    case .folder: throw CheckpointOutputError.isFolder(path: path)
    case .other: throw FileError.notRegularFile(path: path)
    case .file, nil: if !force && FileSystem.isTaken(path) { throw exists }
    }
    if try FileSystem.kind(of: Path.folder(of: path)) == nil {
      throw FileError.missingFolder(path: Path.folder(of: path))
    }
  }

  private func checkFolder(_ input: Checkpoint) throws {
    if path.hasSuffix(".safetensors") {
      throw CheckpointOutputError.folderNamedLikeFile(path: path)
    }
    let identity = try FileSystem.identity(of: path)
    if try identity != nil && identity == FileSystem.identity(of: input.folder) {
      throw CheckpointOutputError.sameAsInput(path: path)
    }
    let source = try FileSystem.resolved(input.folder)
    let target = try resolvedPath(exists: identity != nil)
    if Self.isInside(target, source) {
      throw CheckpointOutputError.insideInput(path: path, input: input.folder)
    }
    for place in try [source] + input.files.map({ try FileSystem.resolved($0.path) })
    where Self.isInside(place, target) {
      throw CheckpointOutputError.aroundInput(path: path, input: input.folder)
    }
    if try identity != nil && FileSystem.kind(of: path) != .folder {
      throw CheckpointOutputError.isFile(path: path)
    }
    if !force && FileSystem.isTaken(path) { throw exists }
    if identity != nil {
      let names = try FileSystem.names(in: path)
      guard names.isEmpty || names.contains(where: { $0.hasSuffix(".safetensors") }) else {
        throw CheckpointOutputError.notACheckpoint(path: path)
      }
    }
  }

  /// Throws where a file that is read besides the checkpoint would be lost.
  package func spare(_ input: String) throws {
    guard try FileSystem.identity(of: path) != nil, try FileSystem.identity(of: input) != nil else {
      return
    }
    let (target, source) = (try FileSystem.resolved(path), try FileSystem.resolved(input))
    if source == target { throw CheckpointOutputError.sameAsInput(path: path) }
    if Self.isInside(source, target) {
      throw CheckpointOutputError.aroundInput(path: path, input: input)
    }
  }

  private var exists: CheckpointOutputError { .exists(path: path) }

  /// The output's path without links, whether it is there or is still to be made.
  private func resolvedPath(exists: Bool) throws -> String {
    if exists { return try FileSystem.resolved(path) }
    let folder = Path.folder(of: path)
    guard try FileSystem.kind(of: folder) != nil else {
      throw FileError.missingFolder(path: folder)
    }
    return Path.join(try FileSystem.resolved(folder), Path.name(of: path))
  }

  private static func isInside(_ path: String, _ folder: String) -> Bool {
    path.hasPrefix(Path.join(folder, ""))
  }
}

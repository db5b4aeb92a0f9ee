internal import SparseCore

/// A place for a single file that is no checkpoint: checked before any work against all that could be lost there.
struct FileOutput: Sendable {
  let path: String
  /// Whether a file that is there is replaced.
  let force: Bool

  /// Checks the place `path`.
  ///
  /// - Parameters:
  ///   - inputs: files that are read.
  ///   - folder: the folder of a model, in which a file with tensors would be taken for a part of it; nil for none.
  ///   - force: allows a file that is there to be replaced.
  /// - Throws: ``CheckpointOutputError`` or `FileError`.
  init(_ path: String, sparing inputs: [String], outside folder: String? = nil, force: Bool) throws
  {
    self.path = path
    self.force = force
    let parent = Path.folder(of: path)
    guard try FileSystem.kind(of: parent) != nil else {
      throw FileError.missingFolder(path: parent)
    }
    if let identity = try FileSystem.identity(of: path) {
      for input in inputs where try FileSystem.identity(of: input) == identity {
        throw CheckpointOutputError.sameAsInput(path: path)
      }
    }
    if let folder, try FileSystem.identity(of: parent) == FileSystem.identity(of: folder) {
      throw CheckpointOutputError.insideInput(path: path, input: folder)
    }
    switch try FileSystem.kind(of: path) {
    case .folder: throw FileError.isFolder(path: path)
    case .other: throw FileError.notRegularFile(path: path)
    case .file, nil:
      if !force && FileSystem.isTaken(path) { throw CheckpointOutputError.exists(path: path) }
    }
  }

  /// Finishes the file under its name; see `SafetensorsWriter.commit`.
  ///
  /// - Throws: ``CheckpointOutputError/exists(path:)`` where something has got the name since the place was checked.
  func commit(_ writer: SafetensorsWriter, metadata: SafetensorsMetadata? = nil) throws {
    try CheckpointOutputError.naming {
      try writer.commit(metadata: metadata, replacing: force)
    }
  }
}

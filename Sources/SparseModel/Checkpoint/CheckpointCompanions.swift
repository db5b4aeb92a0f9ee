internal import SparseCore

/// The files of a model's folder that are not weights: config, tokenizer and whatever else there is.
struct CheckpointCompanions: Sendable {
  /// Their paths within the folder, in a fixed order.
  private(set) var files: [String] = []
  private let folder: String

  /// Lists the companions in `folder` and the folders in it, symbolic links followed.
  ///
  /// What ``CompanionRules`` names, what a run has not finished, pipes and devices are left out.
  init(folder: String) throws(FileError) {
    self.folder = folder
    var open: Set<FileSystem.Identity> = []
    try list("", &open)
  }

  private mutating func list(
    _ relative: String, _ open: inout Set<FileSystem.Identity>
  ) throws(FileError) {
    let path = relative.isEmpty ? folder : Path.join(folder, relative)
    // A link may lead back to a folder that is being listed.
    guard let identity = try FileSystem.identity(of: path), open.insert(identity).inserted else {
      return
    }
    for name in try FileSystem.names(in: path) where !FileSystem.isTemporary(name) {
      let entry = relative.isEmpty ? name : Path.join(relative, name)
      switch try FileSystem.kind(of: Path.join(path, name)) {
      case .file: if !CompanionRules.leavesOut(file: name) { files.append(entry) }
      case .folder: if !CompanionRules.leavesOut(folder: name) { try list(entry, &open) }
      case .other: break
      case nil:
        if !CompanionRules.leavesOut(file: name) { throw .absent(Path.join(path, name)) }
      }
    }
    open.remove(identity)
  }

  /// Copies the files to the same places in `target`, where ``synchronize(in:)`` brings them to the
  /// disk.
  ///
  /// - Returns: the files as they were when they were copied.
  func copy(to target: AtomicFolder) throws(FileError) -> [InputStamp] {
    var stamps: [InputStamp] = []
    for file in files {
      try makeFolders(Path.folder(of: file), in: target)
      let copy = Path.join(target.temporaryPath, file)
      stamps.append(
        try FileSystem.copyFile(
          Path.join(folder, file), to: copy, finalPath: Path.join(target.path, file)))
    }
    return stamps
  }

  /// Waits until the copies in `target` are on the disk.
  func synchronize(in target: AtomicFolder) throws(FileError) {
    for file in files {
      try FileSystem.synchronize(
        file: Path.join(target.temporaryPath, file), finalPath: Path.join(target.path, file))
    }
  }

  private func makeFolders(_ relative: String, in target: AtomicFolder) throws(FileError) {
    if relative == "." { return }
    let path = Path.join(target.temporaryPath, relative)
    if try FileSystem.kind(of: path) != nil { return }
    try makeFolders(Path.folder(of: relative), in: target)
    try FileSystem.makeFolder(path, finalPath: Path.join(target.path, relative))
  }
}

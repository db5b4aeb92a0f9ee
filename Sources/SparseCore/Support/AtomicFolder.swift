internal import Synchronization

/// A folder that gets its name when it is finished, and is gone without a trace otherwise.
///
/// It is filled under the name `NAME.tmp-` and random digits beside the target, under a lock that tells other runs that
/// it is in use. Without `commit` it is deleted with all that is in it when the last reference goes. A folder with a
/// work path is filled there instead, stays there until it is committed, and is gone on with where an earlier run has
/// left it.
package final class AtomicFolder: Sendable {
  /// The name that the finished folder gets.
  package let path: String
  /// Where it is until then.
  package let temporaryPath: String
  private let isKept: Bool
  /// Nil for a folder with a work path, whose run has a lock of its own.
  private let lock: FileDescriptor?
  private let isCommitted = Atomic(false)

  /// Creates the empty folder under its temporary name, or at its work path where it may be already.
  package init(path: String, workPath: String? = nil) throws(FileError) {
    let path = Path.withoutTrailingSlashes(path)
    if let workPath {
      if !FileSystem.isTaken(workPath) { try FileSystem.makeFolder(workPath, finalPath: path) }
      temporaryPath = workPath
      lock = nil
    } else {
      let place = try TemporaryPlace.folder(for: path)
      temporaryPath = place.path
      let descriptor = place.descriptor
      lock = consume descriptor
    }
    self.path = path
    isKept = workPath != nil
  }

  deinit {
    // Nobody is left to tell of a failure, and what is left says by its name what it is.
    if !isKept && !isCommitted.load(ordering: .acquiring) {
      try? FileSystem.removeTree(temporaryPath)
    }
  }

  /// Gives the folder its name.
  ///
  /// With `replacing`, what has the name already is replaced in one step where the file system can, and deleted last.
  ///
  /// - Throws: ``FileError/exists(path:)`` where the name is taken and nothing is to be replaced.
  package func commit(replacing: Bool) throws(FileError) {
    try FileSystem.synchronize(folder: temporaryPath, finalPath: path)
    var old: String?
    if replacing {
      old = try replace()
    } else {
      try FileSystem.moveToFreeName(temporaryPath, to: path)
    }
    isCommitted.store(true, ordering: .releasing)
    // Another run may take what was replaced for a leftover and be at it, too.
    if let old, FileSystem.isTaken(old) {
      do throws(FileError) {
        try FileSystem.removeTree(old)
      } catch {
        if FileSystem.isTaken(old) { throw error }
      }
    }
    try FileSystem.synchronize(folder: Path.folder(of: path))
  }

  /// Gives the folder its name in place of what has it.
  ///
  /// - Returns: where that is now; nil where nothing had the name.
  private func replace() throws(FileError) -> String? {
    while true {
      if !FileSystem.isTaken(path) {
        do throws(FileError) {
          try FileSystem.moveToFreeName(temporaryPath, to: path)
          return nil
        } catch {
          // What has just come there is replaced.
          if case .exists = error { continue }
          throw error
        }
      }
      // At a work path there must be this folder or none: a run that is killed now is gone on with there.
      if !isKept, try FileSystem.exchange(temporaryPath, path, finalPath: path) {
        return temporaryPath
      }
      let old = FileSystem.temporaryPath(for: path + ".old")
      try FileSystem.move(path, to: old)
      do throws(FileError) {
        try FileSystem.move(temporaryPath, to: path)
      } catch {
        try FileSystem.move(old, to: path)
        throw error
      }
      return old
    }
  }
}

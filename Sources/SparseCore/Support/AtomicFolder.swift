internal import Synchronization

/// A folder that gets its name when it is finished, and is gone without a trace otherwise.
///
/// It is filled under the name `NAME.tmp-PID` beside the target. Without `commit` it is deleted with
/// all that is in it when the last reference goes. A folder with a work path is filled there instead, stays
/// there until it is committed, and is gone on with where an earlier run has left it.
package final class AtomicFolder: Sendable {
  /// The name that the finished folder gets.
  package let path: String
  /// Where it is until then.
  package let temporaryPath: String
  private let isKept: Bool
  private let isCommitted = Atomic(false)

  /// Creates the empty folder under its temporary name, or at its work path where it may be already.
  package init(path: String, workPath: String? = nil) throws(FileError) {
    let path = Path.withoutTrailingSlashes(path)
    let temporaryPath = workPath ?? FileSystem.temporaryPath(for: path)
    let isThere = FileSystem.isTaken(temporaryPath)
    // A run that was killed may have left one under the same process number.
    if isThere && workPath == nil { try FileSystem.removeTree(temporaryPath) }
    if !isThere || workPath == nil { try FileSystem.makeFolder(temporaryPath, finalPath: path) }
    self.path = path
    self.temporaryPath = temporaryPath
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
  /// What has the name already is put aside first and deleted last, so that one of the two is there
  /// at any time; only with `replacing`, an empty folder apart.
  package func commit(replacing: Bool) throws(FileError) {
    try FileSystem.synchronize(folder: temporaryPath, finalPath: path)
    let old: String? =
      replacing && FileSystem.isTaken(path) ? FileSystem.temporaryPath(for: path + ".old") : nil
    if let old {
      if FileSystem.isTaken(old) { try FileSystem.removeTree(old) }
      try FileSystem.move(path, to: old)
    }
    do throws(FileError) {
      try FileSystem.move(temporaryPath, to: path)
    } catch {
      if let old { try FileSystem.move(old, to: path) }
      throw error
    }
    isCommitted.store(true, ordering: .releasing)
    if let old { try FileSystem.removeTree(old) }
    try FileSystem.synchronize(folder: Path.folder(of: path))
  }
}

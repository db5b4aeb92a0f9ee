internal import CSparseKernels

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// Giving files and folders other names.
extension FileSystem {
  /// Renames `source` to `target` in one step; a file that was there is replaced.
  ///
  /// Errors speak of `finalPath`.
  package static func move(
    _ source: String, to target: String, finalPath: String? = nil
  ) throws(FileError) {
    if rename(source, target) != 0 { throw FileError(.rename, path: finalPath ?? target) }
  }

  /// Renames a file or folder to `target` unless something has that name, be it a broken link or an empty folder.
  ///
  /// Errors speak of `finalPath`.
  ///
  /// - Throws: ``FileError/exists(path:)`` where the name is taken; `source` stays where it is then.
  package static func moveToFreeName(
    _ source: String, to target: String, finalPath: String? = nil
  ) throws(FileError) {
    if sk_rename_new(source, target) == 0 { return }
    let code = errno
    let finalPath = finalPath ?? target
    if code == EEXIST { throw .exists(path: finalPath) }
    guard isMissingCall(code) else { throw FileError(.rename, path: finalPath, code: code) }
    if try kind(of: source) == .folder {
      try moveByClaim(folder: source, to: target, finalPath: finalPath)
    } else {
      try moveByLink(source, to: target, finalPath: finalPath)
    }
  }

  /// Exchanges what two names stand for in one step; false where the file system cannot do that.
  static func exchange(
    _ a: String, _ b: String, finalPath: String
  ) throws(FileError) -> Bool {
    if sk_rename_exchange(a, b) == 0 { return true }
    let code = errno
    if isMissingCall(code) { return false }
    throw FileError(.rename, path: finalPath, code: code)
  }

  /// Whether an error may say that the system has no such call: NFS says EINVAL, an old sandbox EPERM.
  private static func isMissingCall(_ code: Int32) -> Bool {
    [EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP, EPERM].contains(code)
  }

  // MARK: Where there is no call for it

  /// Gives a file the name `target` besides its own, which fails where that is taken, and then takes its own away.
  static func moveByLink(
    _ source: String, to target: String, finalPath: String
  ) throws(FileError) {
    if link(source, target) != 0 {
      let code = errno
      // A server may have done it and be asked again, as its answer was lost.
      let isDone = code == EEXIST && identity(named: target) == identity(named: source)
      if isMissingCall(code) {
        return try moveByClaim(file: source, to: target, finalPath: finalPath)
      }
      if !isDone {
        throw code == EEXIST
          ? .exists(path: finalPath) : FileError(.rename, path: finalPath, code: code)
      }
    }
    if unlink(source) != 0 && errno != ENOENT { throw FileError(.remove, path: source) }
  }

  /// Takes the name `target` with an empty file, which the file replaces.
  static func moveByClaim(
    file source: String, to target: String, finalPath: String
  ) throws(FileError) {
    let claim: FileDescriptor
    do throws(FileError) {
      claim = try FileDescriptor.creating(target, finalPath: finalPath)
    } catch {
      if case .failed(.create, _, EEXIST) = error { throw .exists(path: finalPath) }
      throw error
    }
    guard try claim.isNamed(target) else { throw .exists(path: finalPath) }
    if rename(source, target) != 0 {
      let error = FileError(.rename, path: finalPath)
      if try claim.isNamed(target) { _ = unlink(target) }
      throw error
    }
  }

  /// Takes the name `target` with an empty folder, which the folder replaces as long as nothing is put into it.
  static func moveByClaim(
    folder source: String, to target: String, finalPath: String
  ) throws(FileError) {
    guard try makeFolderUnlessTaken(target, finalPath: finalPath) else {
      throw .exists(path: finalPath)
    }
    if rename(source, target) == 0 { return }
    let code = errno
    // Only what is still empty goes.
    _ = rmdir(target)
    throw [EEXIST, ENOTEMPTY, ENOTDIR].contains(code)
      ? .exists(path: finalPath) : FileError(.rename, path: finalPath, code: code)
  }
}

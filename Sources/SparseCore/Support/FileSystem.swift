#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// Files and folders by their paths.
package enum FileSystem {
  /// What is at a path.
  package enum Kind: Sendable {
    case file, folder
    /// A pipe, socket or device.
    case other
  }

  /// The file or folder itself, whatever paths lead to it.
  package struct Identity: Hashable, Sendable {
    private let device: Int
    private let inode: UInt64

    init(_ status: stat) {
      device = Int(status.st_dev)
      inode = UInt64(status.st_ino)
    }
  }

  // MARK: Looking

  /// What is at `path`, symbolic links followed; nil for nothing and for a broken link.
  package static func kind(of path: String) throws(FileError) -> Kind? {
    guard let status = try status(of: path) else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .folder
    default: return .other
    }
  }

  /// Whether `path` names something, be it a broken link.
  package static func isTaken(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// What `path` leads to, as something that can be compared; nil for nothing.
  package static func identity(of path: String) throws(FileError) -> Identity? {
    try status(of: path).map(Identity.init)
  }

  /// What has the name `path` itself, a symbolic link not followed; nil for nothing.
  static func identity(named path: String) -> Identity? {
    var status = stat()
    return lstat(path, &status) == 0 ? Identity(status) : nil
  }

  private static func status(of path: String) throws(FileError) -> stat? {
    var status = stat()
    if stat(path, &status) == 0 { return status }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw FileError(.open, path: path)
  }

  /// The absolute path of something that exists, with every link and ".." resolved.
  package static func resolved(_ path: String) throws(FileError) -> String {
    guard let result = realpath(path, nil) else { throw FileError(.open, path: path) }
    defer { free(result) }
    return String(cString: result)
  }

  /// The names in a folder, in the order of their bytes, without "." and "..".
  package static func names(in folder: String) throws(FileError) -> [String] {
    guard let stream = opendir(folder) else {
      if errno == ENOTDIR { throw .notFolder(path: folder) }
      throw FileError(.read, path: folder)
    }
    defer { closedir(stream) }
    var names: [ExactString] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != "." && name != ".." { names.append(ExactString(name)) }
    }
    return names.sorted().map(\.string)
  }

  /// All bytes of a file, mapped.
  package static func contents(of path: String) throws(FileError) -> ByteView {
    try MappedFile(path: path).bytes
  }

  /// The start of one of the system's own small files, which have no size; nil if it isn't there.
  package static func smallText(_ path: String) -> String? {
    guard let file = try? FileDescriptor.reading(path) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { try? file.read(into: $0, at: 0) } ?? 0
    return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }

  /// The bytes that this process can still write to the disk of `folder`; nil where the system does not say.
  package static func freeBytes(in folder: String) -> Int? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    let (bytes, overflow) = Int(clamping: status.f_bavail)
      .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
    return overflow ? nil : bytes
  }

  // MARK: Changing

  /// Creates a folder in one that exists; errors speak of `finalPath`.
  package static func makeFolder(
    _ path: String, finalPath: String? = nil
  ) throws(FileError) {
    if mkdir(path, 0o777) != 0 { throw FileError(.create, path: finalPath ?? path) }
  }

  /// Creates a folder unless something has the name; errors speak of `finalPath`.
  ///
  /// - Returns: whether the folder is new.
  package static func makeFolderUnlessTaken(
    _ path: String, finalPath: String? = nil
  ) throws(FileError) -> Bool {
    if mkdir(path, 0o777) == 0 { return true }
    if errno == EEXIST { return false }
    throw FileError(.create, path: finalPath ?? path)
  }

  /// Copies a file's bytes and mode to a new name, for its owner to read in any case.
  ///
  /// `synchronize(file:finalPath:)` brings them to the disk. Errors speak of `finalPath`.
  ///
  /// - Returns: the file that was copied, as it was then.
  @discardableResult
  package static func copyFile(
    _ source: String, to target: String, finalPath: String? = nil
  ) throws(FileError) -> InputStamp {
    let mode = try FileDescriptor.reading(source).status().mode & 0o777
    let file = try MappedFile(path: source)
    let copy = try FileDescriptor.creating(
      target, finalPath: finalPath, mode: UInt32(mode) | 0o400)
    for start in stride(from: 0, to: file.size, by: 1 << 23) {
      let range = start..<min(start + 1 << 23, file.size)
      file.prefetch(range)
      try copy.write(file.bytes[range].bytes, at: start)
      copy.startWriteback(range)
      file.willNotNeed(range)
    }
    return InputStamp(file)
  }

  /// Deletes a file, a link (not what it leads to), or a folder with all that is in it.
  package static func removeTree(_ path: String) throws(FileError) {
    var status = stat()
    if lstat(path, &status) != 0 { throw FileError(.remove, path: path) }
    if status.st_mode & S_IFMT != S_IFDIR {
      if unlink(path) != 0 { throw FileError(.remove, path: path) }
      return
    }
    for name in try names(in: path) { try removeTree(Path.join(path, name)) }
    if rmdir(path) != 0 { throw FileError(.remove, path: path) }
  }

  /// Deletes an empty folder; one that is gone, or that something has been put into, is left as it is.
  package static func removeEmptyFolder(_ path: String) throws(FileError) {
    if rmdir(path) != 0 && ![ENOENT, ENOTEMPTY, EEXIST].contains(errno) {
      throw FileError(.remove, path: path)
    }
  }

  /// Waits until what was written to a file is on the disk; errors speak of `finalPath`.
  package static func synchronize(file: String, finalPath: String? = nil) throws(FileError) {
    try FileDescriptor.reading(file, finalPath: finalPath).synchronize()
  }

  /// Brings the names in a folder to the disk, where the file system can.
  package static func synchronize(
    folder: String, finalPath: String? = nil
  ) throws(FileError) {
    let descriptor = retrying { open(folder, O_RDONLY | O_CLOEXEC) }
    if descriptor < 0 { return }
    defer { close(descriptor) }
    if retrying({ fsync(descriptor) }) != 0 && errno != EINVAL && errno != ENOTSUP {
      throw FileError(.write, path: finalPath ?? folder)
    }
  }
}

internal import CSparseKernels

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// An open file, closed when it goes out of scope.
package struct FileDescriptor: ~Copyable, Sendable {
  let raw: Int32
  private let path: String

  /// What the system knows about a file.
  struct Status {
    let size: Int
    /// When it was last changed, in nanoseconds since 1970.
    let modified: Int
    let mode: mode_t
  }

  private init(raw: Int32, path: String) {
    self.raw = raw
    self.path = path
  }

  deinit { close(raw) }

  /// Opens a regular file for reading.
  ///
  /// Symbolic links are followed, and a pipe is refused without waiting for it. Errors speak of
  /// `finalPath`, where the file is to be in the end.
  package static func reading(
    _ path: String, finalPath: String? = nil
  ) throws(FileError) -> FileDescriptor {
    let file = try opened(path, O_RDONLY | O_NONBLOCK, for: .open, finalPath: finalPath ?? path)
    let kind = try file.status().mode & S_IFMT
    if kind == S_IFDIR { throw .isFolder(path: file.path) }
    if kind != S_IFREG { throw .notRegularFile(path: file.path) }
    return file
  }

  /// Creates a file that must not exist yet, for reading and writing; `mode` is cut by the umask.
  ///
  /// Errors speak of `finalPath`, where the file is to be in the end.
  package static func creating(
    _ path: String, finalPath: String? = nil, mode: UInt32 = 0o666
  ) throws(FileError) -> FileDescriptor {
    try opened(
      path, O_RDWR | O_CREAT | O_EXCL, mode: mode_t(mode), for: .create,
      finalPath: finalPath ?? path)
  }

  /// Opens a file for reading and writing, with what is in it, or creates it.
  ///
  /// Errors speak of `finalPath`, where the file is to be in the end.
  package static func continuing(
    _ path: String, finalPath: String? = nil
  ) throws(FileError) -> FileDescriptor {
    try opened(path, O_RDWR | O_CREAT, mode: 0o666, for: .create, finalPath: finalPath ?? path)
  }

  /// Opens a file or folder itself, no link to one, for its lock; errors speak of `finalPath`.
  static func holding(
    _ path: String, finalPath: String? = nil
  ) throws(FileError) -> FileDescriptor {
    try opened(
      path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, for: .open, finalPath: finalPath ?? path)
  }

  /// Opens something that exists for writing, devices included.
  package static func writing(_ path: String) throws(FileError) -> FileDescriptor {
    try opened(path, O_WRONLY, for: .open, finalPath: path)
  }

  /// Writes all the bytes at the end of a file, which is created where it is missing.
  package static func append(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = try opened(
      path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o666, for: .create, finalPath: path)
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { bytes in
        retrying { systemWrite(file.raw, UnsafeRawBufferPointer(rebasing: bytes[done...])) }
      }
      if written < 0 { throw FileError(.write, path: path) }
      done += written
    }
  }

  private static func opened(
    _ path: String, _ flags: Int32, mode: mode_t = 0, for operation: FileError.Operation,
    finalPath: String
  ) throws(FileError) -> FileDescriptor {
    let raw = retrying { open(path, flags | O_CLOEXEC, mode) }
    if raw < 0 { throw FileError(operation, path: finalPath) }
    return FileDescriptor(raw: raw, path: finalPath)
  }

  func status() throws(FileError) -> Status {
    var status = stat()
    if fstat(raw, &status) != 0 { throw FileError(.open, path: path) }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return Status(
      size: Int(status.st_size), modified: Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec),
      mode: status.st_mode)
  }

  /// Writes all the bytes at `offset`.
  ///
  /// Several threads may write at once, each its own range.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      // One call may take 2 GiB at most.
      let piece = UnsafeRawBufferPointer(rebasing: bytes[done..<min(done + 1 << 30, bytes.count)])
      let written = retrying { pwrite(raw, piece.baseAddress, piece.count, off_t(offset + done)) }
      if written < 0 {
        let code = errno
        // The bytes to write lie in a mapped file that has been cut short.
        if code == EFAULT { try MappedFile.file(at: UInt(bitPattern: piece.baseAddress))?.check() }
        throw FileError(.write, path: path, code: code)
      }
      done += written
    }
  }

  /// Reads bytes at `offset` until the buffer is full or the file ends; how many there were.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(FileError) -> Int {
    var done = 0
    while done < buffer.count {
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer[done..<min(done + 1 << 30, buffer.count)])
      let count = retrying { pread(raw, piece.baseAddress, piece.count, off_t(offset + done)) }
      if count < 0 { throw FileError(.read, path: path) }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// All of the file's bytes, also where its name is gone.
  package func contents() throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: try status().size)
    let count = try bytes.withUnsafeMutableBufferPointer { buffer throws(FileError) in
      try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
    }
    bytes.removeSubrange(count...)
    return bytes
  }

  /// What came of asking for a lock.
  package enum Lock: Sendable {
    /// It is held until this descriptor is closed or the process ends.
    case held
    /// Another descriptor holds it.
    case busy
    /// The file system has no locks.
    case unsupported
  }

  /// Asks for the lock of the file, which one descriptor has at a time.
  package func lock() -> Lock {
    if retrying({ flock(raw, LOCK_EX | LOCK_NB) }) == 0 { return .held }
    return errno == EWOULDBLOCK ? .busy : .unsupported
  }

  /// Whether all processes that can open the file see its lock: not so where machines share a disk and lock each on its own.
  var hasCommonLocks: Bool { sk_has_common_locks(raw) != 0 }

  /// Whether `path` still is the name of this very file.
  package func isNamed(_ path: String) throws(FileError) -> Bool {
    var status = stat()
    if fstat(raw, &status) != 0 { throw FileError(.open, path: self.path) }
    return FileSystem.identity(named: path) == FileSystem.Identity(status)
  }

  /// Makes the file end after `size` bytes.
  package func truncate(to size: Int) throws(FileError) {
    if retrying({ ftruncate(raw, off_t(size)) }) != 0 { throw FileError(.write, path: path) }
  }

  /// Makes the file `size` bytes long and, where the system can, takes the space on the disk at once,
  /// so that a full disk is found before the work.
  package func reserve(_ size: Int) throws(FileError) {
    if size == 0 { return }
    #if canImport(Glibc) || canImport(Musl)
      let code = posix_fallocate(raw, 0, off_t(size))
      if code == ENOSPC || code == EDQUOT || code == EFBIG {
        throw FileError(.write, path: path, code: code)
      }
    #endif
    if retrying({ ftruncate(raw, off_t(size)) }) != 0 { throw FileError(.write, path: path) }
  }

  /// Starts bringing a range that has just been written to the disk, without waiting.
  package func startWriteback(_ range: Range<Int>) {
    #if canImport(Glibc) || canImport(Musl)
      // The page at the end is left to the range that follows and fills it, or else to `synchronize`.
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let (start, end) = (range.lowerBound / page * page, range.upperBound / page * page)
      guard start < end else { return }  // a length of 0 would mean all that follows
      // The advice makes Linux write the range out; pages that it is still busy with stay cached.
      _ = posix_fadvise(raw, off_t(start), off_t(end - start), POSIX_FADV_DONTNEED)
    #endif
  }

  /// Waits until what was written is on the disk.
  package func synchronize() throws(FileError) {
    if retrying({ fsync(raw) }) != 0 { throw FileError(.write, path: path) }
  }
}

/// Repeats a system call that a signal interrupted.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

/// The system's `write`, under a name that methods called `write` don't hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif
internal import Synchronization

/// A file that gets its name when it is finished, and is gone without a trace otherwise.
///
/// It is written as `NAME.tmp-` and random digits beside the target, under a lock that tells other runs that it is in
/// use. The temporary file is created at once, so a place that cannot be written to is found before the work. `commit`
/// gives it its name; without `commit` it is deleted with the last reference. A file with a work path is made
/// there instead, stays there until it is committed, and is gone on with where an earlier run has left it.
///
/// ```swift
/// let file = try AtomicFile(path: "report.json")
/// try file.write(ByteView(copying: Array("{}".utf8)), at: 0)
/// try file.commit()
/// ```
public final class AtomicFile: Sendable {
  /// The name that the finished file gets.
  public let path: String
  private let finalPath: String
  private let temporaryPath: String
  private let isKept: Bool
  private let descriptor: FileDescriptor
  private let isCommitted = Atomic(false)

  /// Creates the temporary file of `size` bytes, all zero.
  ///
  /// The space is taken from the disk at once where the system can, so that a full disk is found
  /// before the work. Writing beyond `size` makes the file longer.
  ///
  /// - Parameter finalPath: what errors call the file, where its folder will be renamed; nil for
  ///   `path`.
  public convenience init(path: String, finalPath: String? = nil, size: Int = 0) throws(FileError) {
    try self.init(path: path, finalPath: finalPath, size: size, workPath: nil)
  }

  /// Creates the file at its work path, or goes on with the one that is there; nil for a temporary file.
  package init(
    path: String, finalPath: String?, size: Int, workPath: String?
  ) throws(FileError) {
    let finalPath = finalPath ?? path
    if try FileSystem.kind(of: path) == .folder { throw .isFolder(path: finalPath) }
    let temporaryPath: String
    let descriptor: FileDescriptor
    if let workPath {
      temporaryPath = workPath
      descriptor = try FileDescriptor.continuing(workPath, finalPath: finalPath)
    } else {
      let place = try TemporaryPlace.file(for: path, finalPath: finalPath)
      temporaryPath = place.path
      descriptor = place.descriptor
    }
    do throws(FileError) {
      try descriptor.reserve(size)
    } catch {
      if workPath == nil { _ = unlink(temporaryPath) }
      throw error
    }
    self.path = path
    self.finalPath = finalPath
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
    isKept = workPath != nil
  }

  deinit {
    if !isKept && !isCommitted.load(ordering: .acquiring) { _ = unlink(temporaryPath) }
  }

  /// Writes `bytes` at `offset`.
  ///
  /// Several threads may write at once, each its own range.
  public func write(_ bytes: ByteView, at offset: Int) throws(FileError) {
    try write(bytes.bytes, at: offset)
  }

  /// Writes the bytes behind a pointer at `offset`.
  ///
  /// The disk starts on each stretch at once and works while more is being made: otherwise `commit`
  /// would wait for all of it.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    for start in stride(from: 0, to: bytes.count, by: Self.stretch) {
      let end = min(start + Self.stretch, bytes.count)
      try descriptor.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: offset + start)
      if bytes.count >= Self.leastEarly {
        descriptor.startWriteback(offset + start..<offset + end)
      }
    }
  }

  /// Reads back what has been written at `offset`: as many bytes as the buffer has.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(FileError) {
    let count = try descriptor.read(into: buffer, at: offset)
    precondition(count == buffer.count, "AtomicFile: \(path) has \(count) bytes at \(offset)")
  }

  /// Waits until what was written is on the disk.
  package func synchronize() throws(FileError) { try descriptor.synchronize() }

  /// Bytes that are handed to the disk together.
  private static let stretch = 1 << 19
  /// Writes of fewer bytes are left to `commit`: neighbours may come and share the disk's work.
  private static let leastEarly = 1 << 16

  /// Brings the file to the disk and gives it its name.
  ///
  /// To be called once, after the last write.
  ///
  /// - Parameter replacing: whether a file that has the name is replaced.
  /// - Throws: `FileError.exists` where the name is taken and nothing is to be replaced, and the errors of the disk.
  public func commit(replacing: Bool = true) throws(FileError) {
    try descriptor.synchronize()
    precondition(
      !isCommitted.exchange(true, ordering: .acquiringAndReleasing),
      "AtomicFile: \(path) was committed before")
    if temporaryPath == path { return }  // its folder gets the name
    do throws(FileError) {
      if replacing {
        try FileSystem.move(temporaryPath, to: path, finalPath: finalPath)
      } else {
        try FileSystem.moveToFreeName(temporaryPath, to: path, finalPath: finalPath)
      }
    } catch {
      isCommitted.store(false, ordering: .releasing)
      throw error
    }
    try FileSystem.synchronize(
      folder: Path.folder(of: path), finalPath: Path.folder(of: finalPath))
  }

  /// Writes a whole file: `bytes` under the name `path`, or no change at all.
  ///
  /// Errors call the file `finalPath`, as those of `init(path:finalPath:size:)` do.
  public static func write(
    _ bytes: [UInt8], to path: String, finalPath: String? = nil
  ) throws(FileError) {
    let file = try AtomicFile(path: path, finalPath: finalPath)
    try file.write(ByteView(copying: bytes), at: 0)
    try file.commit()
  }
}

/// The size and the time of a file that is read, by which it is known at the end whether it is still the same.
package struct InputStamp: Sendable, Equatable {
  /// The path that it is read by.
  package let path: String
  private let size: Int
  private let modified: Int

  /// The file at `path` as it is now, symbolic links followed.
  package init(of path: String) throws(FileError) {
    let status = try FileDescriptor.reading(path).status()
    self.path = path
    (size, modified) = (status.size, status.modified)
  }

  /// The file as it was when it was mapped.
  package init(_ file: MappedFile) {
    path = file.path
    (size, modified) = (file.size, file.modified)
  }

  /// Throws where the file is gone or has been changed.
  ///
  /// A file of the same size and time at the same path is taken for the same.
  package func check() throws(FileError) {
    let now: InputStamp
    do { now = try InputStamp(of: path) } catch { throw .vanished(path: path) }
    if now.size != size { throw .resized(path: path, from: size, to: now.size) }
    if now.modified != modified { throw .modified(path: path) }
  }
}

extension [InputStamp] {
  /// Throws for the first file that is gone or has been changed.
  package func check() throws(FileError) {
    for stamp in self { try stamp.check() }
  }
}

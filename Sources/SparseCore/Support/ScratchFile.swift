#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// Room on the disk for what does not fit in memory, gone with the last reference however the process ends.
///
/// The file has no name once it is open, so nothing can be left of it. Its space is taken from the disk at
/// once where the system can, so that a full disk is found before the work.
package final class ScratchFile: Sendable {
  /// The number of bytes.
  package let size: Int
  private let descriptor: FileDescriptor

  /// Room for `size` bytes on the disk of what will be at `path`; errors speak of that path.
  package init(beside path: String, size: Int) throws(FileError) {
    let place = try TemporaryPlace.file(
      for: Path.withoutTrailingSlashes(path) + ".scratch", finalPath: path, mode: 0o600)
    _ = unlink(place.path)
    descriptor = place.descriptor
    try descriptor.reserve(size)
    self.size = size
  }

  /// Writes values from `offset` on, counted in bytes.
  package func write(_ values: [Float], at offset: Int) throws(FileError) {
    precondition(
      offset >= 0 && offset + 4 * values.count <= size,
      "ScratchFile: \(values.count) values at \(offset) of \(size) bytes")
    try values.withUnsafeBufferPointer { values throws(FileError) in
      try descriptor.write(UnsafeRawBufferPointer(values), at: offset)
    }
  }

  /// Waits until what was written is on the disk.
  package func synchronize() throws(FileError) { try descriptor.synchronize() }

  /// A matrix of the values from `offset` on, counted in bytes.
  package func read(rows: Int, columns: Int, at offset: Int) throws(FileError) -> Matrix {
    precondition(
      offset >= 0 && offset + 4 * rows * columns <= size,
      "ScratchFile: \(rows) × \(columns) values at \(offset) of \(size) bytes")
    var failure: FileError?
    let matrix = Matrix(rows: rows, columns: columns) { values in
      do throws(FileError) {
        let bytes = UnsafeMutableRawBufferPointer(values)
        let count = try descriptor.read(into: bytes, at: offset)
        precondition(count == bytes.count, "ScratchFile: \(count) bytes of \(bytes.count)")
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return matrix
  }
}

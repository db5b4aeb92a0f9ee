#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// A new file or folder beside an output, under a random name, and locked as long as it is open.
///
/// The lock tells other runs that it is in use. Where the file system has no locks nobody removes it, either.
struct TemporaryPlace: ~Copyable {
  let path: String
  let descriptor: FileDescriptor

  /// Creates an empty file for the output `path`; `mode` is cut by the umask, and errors speak of `finalPath`.
  static func file(
    for path: String, finalPath: String, mode: UInt32 = 0o666
  ) throws(FileError) -> TemporaryPlace {
    try make(for: path, finalPath: finalPath) { name throws(FileError) in
      try FileDescriptor.creating(name, finalPath: finalPath, mode: mode)
    }
  }

  /// Creates an empty folder for the output `path`.
  static func folder(for path: String) throws(FileError) -> TemporaryPlace {
    try make(for: path, finalPath: path) { name throws(FileError) in
      try FileSystem.makeFolder(name, finalPath: path)
      return try FileDescriptor.holding(name, finalPath: path)
    }
  }

  private static func make(
    for path: String, finalPath: String,
    _ create: (_ name: String) throws(FileError) -> FileDescriptor
  ) throws(FileError) -> TemporaryPlace {
    FileSystem.removeLeftovers(of: path)
    // One that another run takes for a leftover before it is locked is given up, as is a name that is taken.
    for _ in 0..<attempts {
      let name = FileSystem.temporaryPath(for: path)
      let descriptor: FileDescriptor
      do throws(FileError) {
        descriptor = try create(name)
      } catch {
        if case .failed(.create, _, EEXIST) = error { continue }
        if case .missing = error { continue }
        throw error
      }
      if descriptor.lock() != .busy, try descriptor.isNamed(name) {
        return TemporaryPlace(path: name, descriptor: descriptor)
      }
    }
    throw .failed(.create, path: finalPath, code: EEXIST)
  }

  private static let attempts = 100
}

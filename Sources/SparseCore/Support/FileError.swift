#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// Why the system could not do something to a file or folder.
public enum FileError: Error, Equatable, Sendable {
  /// Nothing is at the path, though it was to be read.
  case missing(path: String)
  /// A symbolic link that leads to nothing, though it was to be read.
  case brokenLink(path: String, target: String)
  /// The folder that something was to be created in does not exist.
  case missingFolder(path: String)
  /// A folder where a file is needed.
  case isFolder(path: String)
  /// Something other than a folder where a folder is needed.
  case notFolder(path: String)
  /// A pipe, socket or device where a file is needed.
  case notRegularFile(path: String)
  /// Something has the name that was to be given to something new.
  case exists(path: String)
  /// A file that is read is gone, or cannot be looked at any more.
  case vanished(path: String)
  /// A file that is read has another number of bytes than when it was opened.
  case resized(path: String, from: Int, to: Int)
  /// A file that is read has been written to since it was opened.
  case modified(path: String)
  /// The disk, or the user's share of it, is full.
  case diskFull(path: String)
  /// Any other failure: what was tried, on what, and the system's error number.
  case failed(Operation, path: String, code: Int32)

  /// What was tried.
  public enum Operation: String, Sendable {
    /// Open or look at something that exists.
    case open
    /// Read or map a file, or list a folder.
    case read
    /// Create a file or folder.
    case create
    /// Write to a file or bring it safely to the disk.
    case write
    /// Give the finished file or folder its name.
    case rename
    /// Delete a file or folder.
    case remove
  }

  /// The error for a system call that has just failed.
  init(_ operation: Operation, path: String, code: Int32 = errno) {
    switch (code, operation) {
    case (ENOENT, .rename) where FileSystem.isTaken(Path.folder(of: path)):
      self = .failed(operation, path: path, code: code)
    case (ENOENT, .create), (ENOENT, .rename): self = .missingFolder(path: Path.folder(of: path))
    case (ENOENT, _): self = .absent(path)
    case (EISDIR, _): self = .isFolder(path: path)
    case (ENOSPC, _), (EDQUOT, _): self = .diskFull(path: path)
    default: self = .failed(operation, path: path, code: code)
    }
  }
}

extension FileError {
  /// The error for a path at which nothing can be read, which may be a link that leads nowhere.
  package static func absent(_ path: String) -> FileError {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink(path, &target, target.count)
    guard length >= 0 else { return .missing(path: path) }
    let bytes = target[..<length].map { UInt8(bitPattern: $0) }
    return .brokenLink(path: path, target: String(decoding: bytes, as: UTF8.self))
  }

  /// Whether what is read has changed while it was read.
  package var isInputChange: Bool {
    switch self {
    case .vanished, .resized, .modified: true
    default: false
    }
  }
}

extension FileError: CustomStringConvertible {
  /// One line: the path, then what is wrong with it.
  public var description: String {
    switch self {
    case .missing(let path): "\(path): no such file or folder"
    case .brokenLink(let path, let target):
      "\(path): a link to '\(target)', where there is nothing: fetch the file that it leads to"
    case .missingFolder(let path): "\(path): no such folder to write to"
    case .isFolder(let path): "\(path): is a folder, not a file"
    case .notFolder(let path): "\(path): is not a folder"
    case .notRegularFile(let path): "\(path): is not a regular file"
    case .exists(let path): "\(path): exists already"
    case .vanished(let path): "\(path): was there when it was opened, and is gone"
    case .resized(let path, let before, let now):
      "\(path): had \(before.counting("byte")) when it was opened, and has \(now) now"
    case .modified(let path): "\(path): has been written to since it was opened"
    case .diskFull(let path): "\(path): no space left on the disk"
    case .failed(let operation, let path, let code):
      "\(path): cannot \(operation.rawValue): \(String(cString: strerror(code)))"
    }
  }
}

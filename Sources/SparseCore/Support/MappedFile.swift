#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif
internal import Synchronization

/// A file's bytes as memory, read from the disk where they are touched.
///
/// The file must not be cut shorter while it is mapped: touching what is gone ends the process, unless
/// it handles SIGBUS. Replacing it by a rename is fine, since the mapping keeps the old file.
public final class MappedFile: Sendable {
  /// The path it was opened by.
  public let path: String
  /// The number of bytes.
  public let size: Int
  /// When the file was last changed, in nanoseconds since 1970.
  public let modified: Int
  // Never written through, and unmapped in deinit alone.
  private nonisolated(unsafe) let buffer: UnsafeRawBufferPointer

  /// Maps the regular file at `path`, following symbolic links.
  ///
  /// An empty file is fine.
  public init(path: String) throws(FileError) {
    let descriptor = try FileDescriptor.reading(path)
    let status = try descriptor.status()
    self.path = path
    size = status.size
    modified = status.modified
    if size == 0 {
      buffer = UnsafeRawBufferPointer(start: nil, count: 0)
    } else {
      let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor.raw, 0)
      if base == MAP_FAILED { throw FileError(.read, path: path) }
      buffer = UnsafeRawBufferPointer(start: base, count: size)
      let stamp = InputStamp(self)
      Self.mapped.withLock { $0[UInt(bitPattern: base)] = (size, stamp) }
    }
  }

  deinit {
    guard size > 0 else { return }
    // One that has changed stays known: what is wrong with its bytes may be told after they are gone.
    if (try? InputStamp(self).check()) != nil {
      _ = Self.mapped.withLock { $0.removeValue(forKey: UInt(bitPattern: buffer.baseAddress)) }
    }
    munmap(UnsafeMutableRawPointer(mutating: buffer.baseAddress), size)
  }

  /// The files that are mapped, or were and have changed since, by where their bytes start.
  private static let mapped = Mutex<[UInt: (size: Int, stamp: InputStamp)]>([:])

  /// The file whose bytes are mapped at an address: what is to blame where they cannot be read.
  package static func file(at address: UInt) -> InputStamp? {
    mapped.withLock { mapped in
      mapped.first { start, file in address >= start && address - start < file.size }?.value.stamp
    }
  }

  /// All the bytes; the view keeps the mapping alive.
  public var bytes: ByteView { ByteView(buffer, owner: self) }

  /// Lets the memory of `range` go: it counts no longer as resident, and is read again if touched.
  package func willNotNeed(_ range: Range<Int>) { advise(range, MADV_DONTNEED) }

  /// Brings all of `range` into memory at once, where the system can, instead of page by page when
  /// touched: for large ranges that are read from start to end.
  package func prefetch(_ range: Range<Int>) {
    #if canImport(Glibc) || canImport(Musl)
      advise(range, 22)  // MADV_POPULATE_READ, which older headers lack and older kernels ignore
    #else
      advise(range, MADV_WILLNEED)
    #endif
  }

  /// Says that `range` will be read once from start to end, so that the system reads ahead.
  package func willNeedSequentially(_ range: Range<Int>) { advise(range, MADV_SEQUENTIAL) }

  /// Whole pages that hold `range`: advice never changes what the bytes are, so a neighbour's share
  /// of the outer pages does no harm.
  private func advise(_ range: Range<Int>, _ advice: Int32) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= size,
      "MappedFile: \(range) is outside 0..<\(size)")
    guard !range.isEmpty, let base = buffer.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = range.lowerBound / page * page
    _ = madvise(UnsafeMutableRawPointer(mutating: base + start), range.upperBound - start, advice)
  }
}

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// Bytes that lie somewhere else, in a mapped file or an array, together with what keeps them there.
///
/// Copying a view copies no bytes. The bytes are never written through a view.
public struct ByteView: Sendable {
  /// Where the bytes are: valid as long as a copy of this view exists.
  package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  private let owner: any AnyObject & Sendable

  /// A view of bytes that `owner` keeps alive and unchanged.
  package init(_ bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable) {
    self.bytes = bytes
    self.owner = owner
  }

  /// A view of `count` bytes of its own, all of which `fill` must write.
  package init(count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Void) {
    let storage = ByteStorage(count: count)
    fill(storage.buffer)
    self.init(UnsafeRawBufferPointer(storage.buffer), owner: storage)
  }

  /// A view of a copy of `bytes`.
  public init(copying bytes: [UInt8]) {
    self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
  }

  /// The number of bytes.
  public var count: Int { bytes.count }

  /// The bytes of `range`, counted from the start of this view.
  public subscript(range: Range<Int>) -> ByteView {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "ByteView: \(range) is outside 0..<\(count)")
    return ByteView(UnsafeRawBufferPointer(rebasing: bytes[range]), owner: owner)
  }

  /// Whether another view has the same bytes.
  package func holdsSame(as other: ByteView) -> Bool {
    guard count == other.count, let here = bytes.baseAddress, let there = other.bytes.baseAddress
    else { return count == other.count }
    return memcmp(here, there, count) == 0
  }

  /// Calls `body` with the bytes; the pointer must not outlive the call.
  public func withUnsafeBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(bytes)
  }
}

/// Bytes on the heap, aligned for any vector load.
private final class ByteStorage: Sendable {
  nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer

  init(count: Int) { buffer = .allocate(byteCount: count, alignment: 64) }

  deinit { buffer.deallocate() }
}

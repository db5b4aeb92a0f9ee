internal import SparseCore

/// Short names for contents: XXH64 as 16 hexadecimal digits, as `xxhsum -H1` prints it.
///
/// They tell whether two runs read the same bytes; they are no protection against forgery.
enum Fingerprint {
  /// Stands where a fingerprint will be written once it is known.
  static let unknown = String(repeating: "0", count: 16)

  /// The fingerprint of some bytes.
  static func text(of bytes: UnsafeRawBufferPointer) -> String {
    text(of: Int(truncatingIfNeeded: fingerprint64(bytes)))
  }

  /// A fingerprint that is kept as a number.
  static func text(of fingerprint: Int) -> String {
    let digits = String(UInt64(truncatingIfNeeded: fingerprint), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The fingerprint of token ids, as little-endian 32-bit integers.
  static func text(of ids: [Int32]) -> String {
    ids.map(\.littleEndian).withUnsafeBytes { text(of: $0) }
  }

  /// The fingerprint of some lines.
  static func text(of lines: [String]) -> String {
    Array(lines.map { $0 + "\n" }.joined().utf8).withUnsafeBytes { text(of: $0) }
  }

  /// The fingerprint of the fingerprints of pieces, as little-endian 64-bit integers.
  static func text(ofFingerprints pieces: [UInt64]) -> String {
    pieces.map(\.littleEndian).withUnsafeBytes { text(of: $0) }
  }

  /// The same of `count` bytes that are read piece by piece, as a checkpoint's tensors are.
  ///
  /// - Parameter read: fills the buffer with the bytes from an offset on.
  static func text(
    ofPieces count: Int, read: (_ offset: Int, UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows -> String {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(count, TensorPiece.byteCount), alignment: 64)
    defer { buffer.deallocate() }
    let pieces = try stride(from: 0, to: count, by: TensorPiece.byteCount).map { offset in
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<min(TensorPiece.byteCount, count - offset)])
      try read(offset, piece)
      return fingerprint64(UnsafeRawBufferPointer(piece))
    }
    return text(ofFingerprints: pieces)
  }
}

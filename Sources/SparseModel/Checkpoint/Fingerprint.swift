internal import SparseCore

/// Short names for contents: XXH64 as 16 hexadecimal digits, as `xxhsum -H1` prints it.
///
/// They tell whether two runs read the same bytes; they are no protection against forgery.
enum Fingerprint {
  /// Stands where a fingerprint will be written once it is known.
  static let unknown = String(repeating: "0", count: 16)

  /// The fingerprint of some bytes.
  static func text(of bytes: UnsafeRawBufferPointer) -> String {
    let digits = String(fingerprint64(bytes), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The fingerprint of token ids, as little-endian 32-bit integers.
  static func text(of ids: [Int32]) -> String {
    ids.map(\.littleEndian).withUnsafeBytes { text(of: $0) }
  }
}

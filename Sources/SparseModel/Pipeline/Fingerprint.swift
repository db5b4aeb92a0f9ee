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

extension Checkpoint {
  /// A fingerprint of all tensors: of one line `name type shape fingerprint` for each, in the checkpoint's order.
  func fingerprint(on compute: Compute) -> String {
    let lines = Parallel.map(tensors.count, threads: compute.threads) { index in
      let tensor = tensors[index]
      let file = files[tensor.file]
      let content = file.bytes(of: tensor.info).withUnsafeBytes { Fingerprint.text(of: $0) }
      file.release(tensor.info)
      return "\(tensor.name) \(tensor.dtype.rawValue) \(tensor.shape) \(content)\n"
    }
    return Array(lines.joined().utf8).withUnsafeBytes { Fingerprint.text(of: $0) }
  }
}

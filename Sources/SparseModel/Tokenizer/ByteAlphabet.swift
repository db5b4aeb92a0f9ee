/// The 256 characters by which byte-level tokenizers write bytes in their vocabulary.
///
/// Printable Latin-1 characters stand for their own byte; the other 68 bytes, the space among them, are
/// written as U+0100, U+0101, … in order (`bytes_to_unicode` of GPT-2's `encoder.py`). So " the" is
/// written "Ġthe".
enum ByteAlphabet {
  /// The character that stands for each byte.
  static let scalars: [UInt32] = {
    var next: UInt32 = 0x100
    return (UInt32(0)..<256).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
      default:
        defer { next += 1 }
        return next
      }
    }
  }()

  /// The byte for each character, by scalar value; nil where no byte has it.
  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = UInt8(byte) }
    return bytes
  }()

  /// How `bytes` are written in a vocabulary.
  static func written(_ bytes: Span<UInt8>) -> [UInt8] {
    var written: [UInt8] = []
    for index in bytes.indices { written.append(scalar: scalars[Int(bytes[index])]) }
    return written
  }

  /// The bytes that `written` stands for; nil if some character of it stands for none.
  static func read(_ written: Span<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var index = 0
    while index < written.count {
      let scalar = written.scalar(at: index)
      guard scalar.value < bytes.count, let byte = bytes[Int(scalar.value)] else { return nil }
      result.append(byte)
      index += scalar.length
    }
    return result
  }
}

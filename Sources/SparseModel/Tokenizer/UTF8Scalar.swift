/// The Unicode scalar at one place of a text, with the number of bytes it takes there.
///
/// A byte that starts no well-formed scalar stands for itself: value U+FFFD, length 1. (A U+FFFD that
/// was really written takes three bytes.)
struct UTF8Scalar {
  let value: UInt32
  let length: Int

  /// A byte that belongs to no scalar.
  static let illFormed = UTF8Scalar(value: 0xFFFD, length: 1)

  /// Whether this is a byte that belongs to no scalar.
  var isIllFormed: Bool { length == 1 && value == 0xFFFD }
}

extension Span where Element == UInt8 {
  /// The scalar that starts at `index`.
  func scalar(at index: Int) -> UTF8Scalar {
    let lead = self[index]
    if lead < 0x80 { return UTF8Scalar(value: UInt32(lead), length: 1) }
    let length: Int
    var value: UInt32
    // The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF.
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: (length, value) = (2, UInt32(lead & 0x1F))
    case 0xE0...0xEF:
      (length, value) = (3, UInt32(lead & 0x0F))
      if lead == 0xE0 { second = 0xA0...0xBF } else if lead == 0xED { second = 0x80...0x9F }
    case 0xF0...0xF4:
      (length, value) = (4, UInt32(lead & 0x07))
      if lead == 0xF0 { second = 0x90...0xBF } else if lead == 0xF4 { second = 0x80...0x8F }
    default: return .illFormed
    }
    guard index + length <= count, second.contains(self[index + 1]) else { return .illFormed }
    value = value << 6 | UInt32(self[index + 1] & 0x3F)
    for offset in 2..<max(length, 2) {
      let byte = self[index + offset]
      guard byte & 0xC0 == 0x80 else { return .illFormed }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    return UTF8Scalar(value: value, length: length)
  }

  /// Where the first byte is that belongs to no scalar; nil in well-formed UTF-8.
  var firstIllFormed: Int? {
    var index = 0
    while index < count {
      let scalar = scalar(at: index)
      if scalar.isIllFormed { return index }
      index += scalar.length
    }
    return nil
  }

  /// The scalar that ends just before `index`, which is not 0.
  func scalar(before index: Int) -> UTF8Scalar {
    var start = index - 1
    while start > 0, index - start < 4, self[start] & 0xC0 == 0x80 { start -= 1 }
    let scalar = scalar(at: start)
    return start + scalar.length == index ? scalar : .illFormed
  }
}

extension [UInt8] {
  /// Appends the UTF-8 form of a scalar.
  mutating func append(scalar value: UInt32) {
    switch value {
    case ..<0x80: append(UInt8(value))
    case ..<0x800:
      append(0xC0 | UInt8(value >> 6))
      append(0x80 | UInt8(value & 0x3F))
    case ..<0x10000:
      append(0xE0 | UInt8(value >> 12))
      append(0x80 | UInt8(value >> 6 & 0x3F))
      append(0x80 | UInt8(value & 0x3F))
    default:
      append(0xF0 | UInt8(value >> 18))
      append(0x80 | UInt8(value >> 12 & 0x3F))
      append(0x80 | UInt8(value >> 6 & 0x3F))
      append(0x80 | UInt8(value & 0x3F))
    }
  }
}

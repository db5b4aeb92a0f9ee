/// What the pre-tokenizers' patterns want to know of a scalar.
enum ScalarClass: UInt8 {
  /// `\p{L}`
  case letter
  /// `\p{N}`
  case number
  /// `[\r\n]`, a kind of white space
  case newline
  /// Any other `\s`
  case space
  /// Everything else: `[^\s\p{L}\p{N}]`
  case symbol

  /// The class of a scalar.
  init(_ value: UInt32) {
    switch value {
    case 0x61...0x7A, 0x41...0x5A: self = .letter
    case 0x30...0x39: self = .number
    case 0x0A, 0x0D: self = .newline
    case 0x20, 0x09, 0x0B, 0x0C: self = .space
    case ..<0x80: self = .symbol
    default: self.init(beyondASCII: value)
    }
  }

  private init(beyondASCII value: UInt32) {
    switch value {
    // White_Space, written out: the set is closed, and so the same under every Unicode version.
    case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
      self = .space
    default:
      switch Unicode.Scalar(value)?.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = .symbol
      }
    }
  }

  /// Whether the scalar is white space, newlines included.
  var isWhiteSpace: Bool { self == .space || self == .newline }
}

extension Span where Element == UInt8 {
  /// The class and the length in bytes of the scalar at `index`; a byte that belongs to none is a symbol.
  func classified(at index: Int) -> (kind: ScalarClass, length: Int) {
    let scalar = scalar(at: index)
    return (ScalarClass(scalar.value), scalar.length)
  }

  /// Where the run of `kind` that may start at `index` ends: `index` itself if none does.
  func endOfRun(of kind: ScalarClass, from index: Int) -> Int {
    var end = index
    while end < count {
      let (found, length) = classified(at: end)
      guard found == kind else { break }
      end += length
    }
    return end
  }
}

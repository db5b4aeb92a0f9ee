extension JSON {
  /// Arrays and objects may be nested this deep.
  public static let depthLimit = 128

  /// The value that `bytes` spell, by the letter of RFC 8259: no byte order mark, comments, trailing
  /// commas, unescaped control characters, lone surrogates, or text after the value.
  ///
  /// - Parameter takesNonFinite: whether `NaN`, `Infinity` and `-Infinity` are numbers, as Python's `json`
  ///   writes and reads them.
  public init(parsing bytes: ByteView, takesNonFinite: Bool = false) throws(JSONError) {
    do throws(JSONError) {
      self = try JSON(parsing: bytes.bytes, takesNonFinite: takesNonFinite)
    } catch {
      guard let kind = ForeignFile(bytes) else { throw error }
      throw JSONError(reason: .foreign(kind), offset: 0, line: 1, column: 1)
    }
  }

  /// The value that `text` spells; see `init(parsing:)` for bytes.
  public init(parsing text: String) throws(JSONError) {
    try self.init(parsing: ByteView(copying: Array(text.utf8)))
  }

  /// The value that the bytes behind a pointer spell.
  package init(
    parsing bytes: UnsafeRawBufferPointer, takesNonFinite: Bool = false
  ) throws(JSONError) {
    var parser = JSONParser(bytes, takesNonFinite: takesNonFinite)
    self = try parser.document()
  }
}

/// A recursive descent over bytes; every read goes through `byte`, which knows the end.
private struct JSONParser {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var depth = 0
  private var unescaped: [UInt8] = []
  private let takesNonFinite: Bool

  init(_ bytes: UnsafeRawBufferPointer, takesNonFinite: Bool) {
    self.bytes = bytes
    self.takesNonFinite = takesNonFinite
  }

  mutating func document() throws(JSONError) -> JSON {
    skipWhitespace()
    let result = try value()
    skipWhitespace()
    if byte != nil { throw fault(.trailingText) }
    return result
  }

  // MARK: Values

  private mutating func value() throws(JSONError) -> JSON {
    guard let first = byte else { throw fault(.unexpectedEnd) }
    switch first {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "N") where takesNonFinite: return try literal("NaN", .number(.nan))
    case UInt8(ascii: "I") where takesNonFinite:
      return try literal("Infinity", .number(.infinity))
    default: throw fault(.unexpectedByte(first, expected: "a value"))
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSON
  ) throws(JSONError) -> JSON {
    if depth == JSON.depthLimit { throw fault(.tooDeep(limit: JSON.depthLimit)) }
    depth += 1
    position += 1  // the opening bracket
    skipWhitespace()
    let result = try body(&self)
    depth -= 1
    return result
  }

  private mutating func object() throws(JSONError) -> JSON {
    var members: [JSON.Member] = []
    if skip(UInt8(ascii: "}")) { return .object(members) }
    while true {
      guard byte == UInt8(ascii: "\"") else { throw unexpected("a member's name in quotes") }
      let key = try string()
      skipWhitespace()
      guard skip(UInt8(ascii: ":")) else { throw unexpected("':'") }
      skipWhitespace()
      members.append(JSON.Member(key: key, value: try value()))
      skipWhitespace()
      if skip(UInt8(ascii: "}")) { return .object(members) }
      guard skip(UInt8(ascii: ",")) else { throw unexpected("',' or '}'") }
      skipWhitespace()
    }
  }

  private mutating func array() throws(JSONError) -> JSON {
    var values: [JSON] = []
    if skip(UInt8(ascii: "]")) { return .array(values) }
    while true {
      values.append(try value())
      skipWhitespace()
      if skip(UInt8(ascii: "]")) { return .array(values) }
      guard skip(UInt8(ascii: ",")) else { throw unexpected("',' or ']'") }
      skipWhitespace()
    }
  }

  private mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    for index in 0..<text.utf8CodeUnitCount {
      guard skip(text.utf8Start[index]) else { throw unexpected("'\(text)'") }
    }
    return value
  }

  // MARK: Numbers

  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    let isNegative = skip(UInt8(ascii: "-"))
    if takesNonFinite, isNegative, byte == UInt8(ascii: "I") {
      return try literal("Infinity", .number(-.infinity))
    }
    var magnitude: UInt64 = 0
    var isInteger = true
    if skip(UInt8(ascii: "0")) {
      if digit != nil { throw fault(.invalidNumber) }
    } else {
      guard digit != nil else { throw fault(.invalidNumber) }
      while let next = digit {
        let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(next))
        if overflow || carry { isInteger = false }
        magnitude = sum
        position += 1
      }
    }
    if skip(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      isInteger = false
      if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
      try digits()
    }
    if isInteger, let exact = integer(magnitude, isNegative: isNegative) { return exact }
    let text = String(
      decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw fault(.numberOutOfRange, at: start)
    }
    return .number(value)
  }

  private mutating func digits() throws(JSONError) {
    guard digit != nil else { throw fault(.invalidNumber) }
    while digit != nil { position += 1 }
  }

  private func integer(_ magnitude: UInt64, isNegative: Bool) -> JSON? {
    if !isNegative { return Int(exactly: magnitude).map(JSON.integer) ?? .unsigned(magnitude) }
    if magnitude == 0 || magnitude > Int.min.magnitude { return nil }
    return .integer(Int(truncatingIfNeeded: 0 &- magnitude))
  }

  // MARK: Strings

  private mutating func string() throws(JSONError) -> String {
    position += 1  // the opening quote
    let start = position
    while let next = byte {
      switch next {
      case UInt8(ascii: "\""):
        let text = try decoded(bytes[start..<position], from: start)
        position += 1
        return text
      case UInt8(ascii: "\\"): return try stringWithEscapes(from: start)
      case 0..<0x20: throw fault(.controlCharacter(next))
      default: position += 1
      }
    }
    throw fault(.unexpectedEnd)
  }

  private mutating func stringWithEscapes(from start: Int) throws(JSONError) -> String {
    unescaped.removeAll(keepingCapacity: true)
    unescaped.append(contentsOf: bytes[start..<position])
    while let next = byte {
      switch next {
      case UInt8(ascii: "\""):
        position += 1
        guard let text = String(validating: unescaped, as: UTF8.self) else {
          throw fault(.invalidUTF8, at: start)
        }
        return text
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw fault(.controlCharacter(next))
      default:
        unescaped.append(next)
        position += 1
      }
    }
    throw fault(.unexpectedEnd)
  }

  private mutating func escape() throws(JSONError) {
    let start = position
    position += 1  // the backslash
    guard let letter = byte else { throw fault(.unexpectedEnd) }
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(letter)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0C)
    case UInt8(ascii: "n"): unescaped.append(0x0A)
    case UInt8(ascii: "r"): unescaped.append(0x0D)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "u"): unescaped.append(contentsOf: try unicodeEscape(from: start).utf8)
    default: throw fault(.invalidEscape, at: start)
    }
  }

  /// The character of `\uXXXX`, or of two such escapes that are a surrogate pair.
  private mutating func unicodeEscape(from start: Int) throws(JSONError) -> Character {
    let first = try fourHexDigits()
    if let scalar = Unicode.Scalar(first) { return Character(scalar) }
    let isHigh = first < 0xDC00
    guard isHigh, skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else {
      throw fault(.loneSurrogate, at: start)
    }
    let second = try fourHexDigits()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw fault(.loneSurrogate, at: start) }
    return Character(scalar)
  }

  private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let letter = byte else { throw fault(.unexpectedEnd) }
      guard let nibble = Character(Unicode.Scalar(letter)).hexDigitValue, letter < 0x80 else {
        throw fault(.invalidEscape)
      }
      value = value << 4 | UInt32(nibble)
      position += 1
    }
    return value
  }

  private func decoded(_ slice: Slice<UnsafeRawBufferPointer>, from start: Int) throws(JSONError)
    -> String
  {
    let utf8 = UnsafeRawBufferPointer(rebasing: slice).assumingMemoryBound(to: UInt8.self)
    guard let text = String(validating: utf8, as: UTF8.self) else {
      throw fault(.invalidUTF8, at: start)
    }
    return text
  }

  // MARK: Bytes

  private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

  private var digit: UInt8? {
    guard let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
    return byte - UInt8(ascii: "0")
  }

  private mutating func skip(_ expected: UInt8) -> Bool {
    guard byte == expected else { return false }
    position += 1
    return true
  }

  private mutating func skipWhitespace() {
    while let next = byte, next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 {
      position += 1
    }
  }

  private func unexpected(_ expected: String) -> JSONError {
    guard let byte else { return fault(.unexpectedEnd) }
    return fault(.unexpectedByte(byte, expected: expected))
  }

  private func fault(_ reason: JSONError.Reason, at offset: Int? = nil) -> JSONError {
    let offset = offset ?? position
    var line = 1
    var lineStart = 0
    for index in 0..<offset where bytes[index] == 0x0A {
      line += 1
      lineStart = index + 1
    }
    return JSONError(reason: reason, offset: offset, line: line, column: offset - lineStart + 1)
  }
}

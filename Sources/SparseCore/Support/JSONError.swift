/// Why some text is not JSON, and where.
public struct JSONError: Error, Equatable, Sendable {
  /// The rule of RFC 8259 that was broken, or the limit that was passed.
  public enum Reason: Equatable, Sendable {
    /// The text ended within a value.
    case unexpectedEnd
    /// A byte that cannot stand here, and what could.
    case unexpectedByte(UInt8, expected: String)
    /// Something other than white space follows the value.
    case trailingText
    /// A number with a leading zero, no digits, or an unfinished fraction or exponent.
    case invalidNumber
    /// A number too large for a double.
    case numberOutOfRange
    /// A byte below 0x20 within a string.
    case controlCharacter(UInt8)
    /// A backslash followed by something that is no escape.
    case invalidEscape
    /// A `\u` escape that is half of a surrogate pair.
    case loneSurrogate
    /// A string whose bytes are not UTF-8.
    case invalidUTF8
    /// Arrays and objects nested deeper than the limit.
    case tooDeep(limit: Int)
    /// A file of another kind.
    case foreign(ForeignFile)
  }

  /// What is wrong.
  public let reason: Reason
  /// Bytes before the fault.
  public let offset: Int
  /// The fault's line, from 1.
  public let line: Int
  /// The fault's place in its line, in bytes from 1.
  public let column: Int
}

extension JSONError: CustomStringConvertible {
  /// One line: the fault and its place.
  public var description: String {
    if case .foreign(let kind) = reason { return "not JSON but \(kind)" }
    return "not JSON: \(reason) at line \(line) column \(column)"
  }
}

extension JSONError.Reason: CustomStringConvertible {
  /// The fault alone, in a few words.
  public var description: String {
    switch self {
    case .unexpectedEnd: "the text ends too early"
    case .unexpectedByte(let byte, let expected): "expected \(expected), found \(name(of: byte))"
    case .trailingText: "text follows the value"
    case .invalidNumber: "malformed number"
    case .numberOutOfRange: "number out of range"
    case .controlCharacter(let byte): "unescaped control character \(name(of: byte)) in a string"
    case .invalidEscape: "unknown escape in a string"
    case .loneSurrogate: "half of a surrogate pair in a string"
    case .invalidUTF8: "a string that is not UTF-8"
    case .foreign(let kind): "\(kind)"
    case .tooDeep(let limit): "nested deeper than \(limit) levels"
    }
  }

  private func name(of byte: UInt8) -> String {
    if (0x21...0x7E).contains(byte) { return "'\(Unicode.Scalar(byte))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x" + (byte < 16 ? "0" : "") + digits
  }
}

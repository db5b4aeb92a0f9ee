extension JSON {
  /// This value as JSON text.
  ///
  /// Members keep their order and numbers take the fewest digits that read back the same.
  ///
  /// - Parameters:
  ///   - pretty: one member or element a line, indented by two spaces; lists of plain values
  ///     stay on one line. Otherwise no white space at all.
  ///   - keepsNonFinite: infinities and NaN, which JSON lacks, become `null`, or else `Infinity` and
  ///     `NaN`, which Python's `json` reads.
  public func text(pretty: Bool = false, keepsNonFinite: Bool = false) -> String {
    var writer = JSONWriter(pretty: pretty, keepsNonFinite: keepsNonFinite)
    writer.write(self, indent: 0)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

/// Appends values to a buffer of UTF-8.
private struct JSONWriter {
  private(set) var bytes: [UInt8] = []
  private let pretty: Bool
  private let keepsNonFinite: Bool

  init(pretty: Bool, keepsNonFinite: Bool) {
    self.pretty = pretty
    self.keepsNonFinite = keepsNonFinite
  }

  mutating func write(_ value: JSON, indent: Int) {
    switch value {
    case .null: append("null")
    case .bool(let value): append(value ? "true" : "false")
    case .integer(let value): append(value.description)
    case .unsigned(let value): append(value.description)
    case .number(let value): append(text(value))
    case .string(let value): write(string: value)
    case .array(let values): write(array: values, indent: indent)
    case .object(let members): write(object: members, indent: indent)
    }
  }

  private func text(_ number: Double) -> String {
    if number.isFinite { return number.description }
    guard keepsNonFinite else { return "null" }
    return number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
  }

  private mutating func write(array values: [JSON], indent: Int) {
    let onOneLine = !pretty || values.allSatisfy(\.isPlain)
    append("[")
    for (index, value) in values.enumerated() {
      if index > 0 { append(pretty && onOneLine ? ", " : ",") }
      if !onOneLine { startLine(indent + 1) }
      write(value, indent: indent + 1)
    }
    if !onOneLine { startLine(indent) }
    append("]")
  }

  private mutating func write(object members: [JSON.Member], indent: Int) {
    append("{")
    for (index, member) in members.enumerated() {
      if index > 0 { append(",") }
      if pretty { startLine(indent + 1) }
      write(string: member.key)
      append(pretty ? ": " : ":")
      write(member.value, indent: indent + 1)
    }
    if pretty && !members.isEmpty { startLine(indent) }
    append("}")
  }

  private mutating func write(string: String) {
    append("\"")
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case 0x08: append("\\b")
      case 0x09: append("\\t")
      case 0x0A: append("\\n")
      case 0x0C: append("\\f")
      case 0x0D: append("\\r")
      case 0..<0x20: append("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
      default: bytes.append(byte)
      }
    }
    append("\"")
  }

  private mutating func startLine(_ indent: Int) {
    append("\n")
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * indent))
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}

extension JSON {
  /// Whether this is neither a list nor an object.
  fileprivate var isPlain: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }
}

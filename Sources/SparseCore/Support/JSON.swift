/// A JSON value: what `config.json`, `tokenizer.json`, safetensors headers and reports are made of.
///
/// Objects keep their members in order, duplicates included. Strings and keys are compared by their
/// UTF-8 bytes, so that "é" written as one code point and as two stay different, as they are for a
/// tokenizer.
///
/// ```swift
/// let report: JSON = ["schema": 1, "layers": [["name": "q_proj", "shape": [576, 576]]]]
/// let config = try JSON(parsing: #"{"hidden_size": 576, "rope_theta": 1e5}"#)
/// config["hidden_size"]?.int   // 576
/// print(report.text(pretty: true))
/// ```
public enum JSON: Sendable {
  /// The literal `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written as an integer that fits.
  case integer(Int)
  /// A number written as an integer above `Int.max`, up to 2⁶⁴ − 1.
  case unsigned(UInt64)
  /// Any other number: with a fraction or an exponent, beyond 64 bits, or `-0`.
  case number(Double)
  /// A string.
  case string(String)
  /// A list of values.
  case array([JSON])
  /// Members in the order written, duplicates included.
  case object([Member])

  /// One key of an object with its value.
  public struct Member: Sendable {
    /// The name.
    public var key: String
    /// What it stands for.
    public var value: JSON

    /// A member named `key`.
    public init(key: String, value: JSON) {
      self.key = key
      self.value = value
    }
  }
}

extension JSON {
  /// The value of the last member named `key`; nil if there is none or this is no object.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key.hasSameBytes(as: key) }?.value
  }

  /// Whether this is the literal `null`.
  public var isNull: Bool {
    if case .null = self { return true }
    return false
  }

  /// The truth value; nil for anything but `true` and `false`.
  public var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  /// The integer; nil for anything else, `2.0` and integers beyond `Int.max` included.
  public var int: Int? {
    guard case .integer(let value) = self else { return nil }
    return value
  }

  /// The integer, unless it is negative.
  public var unsigned: UInt64? {
    switch self {
    case .integer(let value): UInt64(exactly: value)
    case .unsigned(let value): value
    default: nil
    }
  }

  /// The number, integers included, rounded to the nearest double; nil for anything else.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The string; nil for anything else.
  public var string: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  /// The list; nil for anything else.
  public var array: [JSON]? {
    guard case .array(let values) = self else { return nil }
    return values
  }

  /// The members in order, duplicates included; nil for anything but an object.
  public var object: [Member]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  /// What kind of value this is, for messages ("a string", "null").
  package var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .unsigned: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSON: Equatable {
  /// Whether both are the same value of the same case: `1` and `1.0` differ, as do member orders.
  public static func == (left: JSON, right: JSON) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.unsigned(let a), .unsigned(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): a.hasSameBytes(as: b)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    default: false
    }
  }
}

extension JSON.Member: Equatable {
  /// Whether keys and values are the same.
  public static func == (left: JSON.Member, right: JSON.Member) -> Bool {
    left.key.hasSameBytes(as: right.key) && left.value == right.value
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// The literal `null`.
  public init(nilLiteral: ()) { self = .null }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An integer.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A list.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// An object with its members in the order written.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(elements.map { Member(key: $0.0, value: $0.1) })
  }
}

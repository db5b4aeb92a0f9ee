internal import SparseCore
internal import TestSupport
internal import Testing

@Suite struct JSONTests {
  private static let accepted: [(String, JSON)] = [
    ("null", JSON.null), (" true ", true), ("false", false), ("0", 0), ("-12", -12),
    ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .unsigned(1 << 63)), ("18446744073709551615", .unsigned(.max)),
    ("18446744073709551616", .number(0x1p64)), ("-9223372036854775809", .number(-0x1p63)),
    ("1.5", 1.5), ("1e3", 1000.0), ("1E+3", 1000.0), ("25e-1", 2.5), ("0.0", 0.0),
    (#""""#, ""), (#""aé🦙""#, "aé🦙"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
    (#""\u0041\u00e9\uD83E\uDD99\u0000""#, "Aé🦙\0"), ("[]", []), ("[1, [2],\n{}]", [1, [2], [:]]),
    (#"{"b":1,"a":{"c":[null]}}"#, ["b": 1, "a": ["c": [nil]]]),
    (#"{"a":1,"a":2}"#, ["a": 1, "a": 2]),
  ]

  @Test(arguments: accepted)
  func acceptsWhatTheStandardAllows(text: String, value: JSON) throws {
    #expect(try JSON(parsing: text) == value)
  }

  /// What Python's `json.loads` reads, and `json.dumps` gives back.
  @Test func pythonsNumbersAreTakenWhereAskedFor() throws {
    let text = "{\"a\":NaN,\"b\":[Infinity,-Infinity,-1]}"
    let json = try JSON(
      parsing: ByteView(copying: Array(text.utf8)), takesNonFinite: true)
    #expect(json["a"]?.double?.isNaN == true)
    #expect(json["b"] == [.number(.infinity), .number(-.infinity), -1])
    #expect(json.text(keepsNonFinite: true) == text)
    #expect(json.text() == "{\"a\":null,\"b\":[null,null,-1]}")
    for broken in ["Nan", "-NaN", "Infinit", "-infinity", "+Infinity"] {
      #expect(throws: JSONError.self) {
        try JSON(parsing: ByteView(copying: Array(broken.utf8)), takesNonFinite: true)
      }
    }
  }

  private static let refused: [(String, JSONError.Reason, Int)] = [
    ("", JSONError.Reason.unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("[1", .unexpectedEnd, 2),
    (#""ab"#, .unexpectedEnd, 3), (#""ab\"#, .unexpectedEnd, 4), ("tru", .unexpectedEnd, 3),
    (#""\u12"#, .unexpectedEnd, 5), (#"{"a""#, .unexpectedEnd, 4), (#"{"a":"#, .unexpectedEnd, 5),
    ("nul1", .unexpectedByte(0x31, expected: "'null'"), 3),
    ("\u{FEFF}1", .unexpectedByte(0xEF, expected: "a value"), 0),
    ("/*c*/1", .unexpectedByte(0x2F, expected: "a value"), 0),
    ("[1,]", .unexpectedByte(0x5D, expected: "a value"), 3),
    ("[1 2]", .unexpectedByte(0x32, expected: "',' or ']'"), 3),
    ("{\"a\":1,}", .unexpectedByte(0x7D, expected: "a member's name in quotes"), 7),
    ("{a:1}", .unexpectedByte(0x61, expected: "a member's name in quotes"), 1),
    ("{\"a\" 1}", .unexpectedByte(0x31, expected: "':'"), 5),
    ("+1", .unexpectedByte(0x2B, expected: "a value"), 0),
    ("NaN", .unexpectedByte(0x4E, expected: "a value"), 0),
    ("1 2", .trailingText, 2), ("1\0", .trailingText, 1),
    ("01", .invalidNumber, 1), ("-", .invalidNumber, 1), ("1.", .invalidNumber, 2),
    ("1e", .invalidNumber, 2), ("1e+", .invalidNumber, 3), ("-a", .invalidNumber, 1),
    ("[1e999]", .numberOutOfRange, 1),
    ("\"a\nb\"", .controlCharacter(0x0A), 2), (#""\x""#, .invalidEscape, 1),
    (#""\u00g0""#, .invalidEscape, 5), (#""a\uD800""#, .loneSurrogate, 2),
    (#""\uDC00\uD800""#, .loneSurrogate, 1), (#""\uD800\u0041""#, .loneSurrogate, 1),
  ]

  @Test(arguments: refused)
  func refusesTheRestAndSaysWhere(text: String, reason: JSONError.Reason, offset: Int) throws {
    let error = try #require(throws: JSONError.self) { try JSON(parsing: text) }
    #expect(error.reason == reason)
    #expect(error.offset == offset)
  }

  @Test(arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3]])
  func refusesStringsThatAreNotUTF8(bytes: [UInt8]) throws {
    for prefix in ["\"", "\"\\n"] {
      let text = Array(prefix.utf8) + bytes + Array("\"".utf8)
      let error = try #require(throws: JSONError.self) {
        try JSON(parsing: ByteView(copying: text))
      }
      #expect(error.reason == .invalidUTF8)
    }
  }

  @Test(arguments: [400, 1_000_000]) func aNumberOfAnyLengthIsRead(digits: Int) throws {
    let zeros = String(repeating: "0", count: digits)
    let error = try #require(throws: JSONError.self) { try JSON(parsing: "[1\(zeros)]") }
    #expect(error.reason == .numberOutOfRange)
    #expect(try JSON(parsing: "0.\(zeros)1") == 0.0)
    #expect(try JSON(parsing: "1.\(zeros)") == 1.0)
    #expect(throws: JSONError.self) { try JSON(parsing: "0\(zeros)") }
  }

  @Test func errorsCountLinesAndColumns() throws {
    let error = try #require(throws: JSONError.self) {
      try JSON(parsing: "{\n \"a\": 1,\n \"b\" 2}")
    }
    #expect(error.line == 3)
    #expect(error.column == 6)
    #expect(error.description == "not JSON: expected ':', found '2' at line 3 column 6")
  }

  @Test func nestingStopsAtTheLimit() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try JSON(parsing: nested(JSON.depthLimit)) }
    let error = try #require(throws: JSONError.self) {
      try JSON(parsing: nested(JSON.depthLimit + 1))
    }
    #expect(error.reason == .tooDeep(limit: JSON.depthLimit))
    #expect(throws: JSONError.self) { try JSON(parsing: nested(1_000_000)) }
  }

  @Test func keysAreComparedByTheirBytes() throws {
    let object = try JSON(parsing: #"{"\u00e9":1,"e\u0301":2,"\u00e9":3}"#)
    #expect(object["\u{E9}"] == 3)  // the last of two
    #expect(object["e\u{301}"] == 2)
    #expect(object["e"] == nil)
    #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
  }

  @Test func accessorsAnswerForTheirOwnCaseAlone() {
    #expect(JSON.integer(3).int == 3)
    #expect(JSON.integer(3).double == 3)
    #expect(JSON.number(3).int == nil)
    #expect(JSON.unsigned(1 << 63).int == nil)
    #expect(JSON.string("3").int == nil)
    #expect(JSON.bool(true).bool == true)
    #expect(JSON.array([1]).array == [1])
    #expect(JSON.object([]).object == [])
    #expect(JSON.null.isNull && !JSON.bool(false).isNull)
  }

  @Test func compactTextIsWithoutSpace() {
    let value: JSON = [
      "b": [1, -2.5, 1e300, .unsigned(.max)], "a\"\\\n\u{1}é": nil, "e": [:], "x": .number(.nan),
    ]
    #expect(
      value.text()
        == #"{"b":[1,-2.5,1e+300,18446744073709551615],"a\"\\\n\u0001é":null,"e":{},"x":null}"#)
  }

  @Test func prettyTextIndentsByTwo() {
    let value: JSON = ["schema": 1, "layers": [["shape": [2, 4]], [:]], "none": []]
    #expect(
      value.text(pretty: true) == """
        {
          "schema": 1,
          "layers": [
            {
              "shape": [2, 4]
            },
            {}
          ],
          "none": []
        }
        """)
  }

  @Test(arguments: UInt64(0)..<64) func writtenTextReadsBackTheSame(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let value = randomValue(depth: 5, &random)
    #expect(try JSON(parsing: value.text()) == value, "seed \(seed)")
    #expect(try JSON(parsing: value.text(pretty: true)) == value, "seed \(seed)")
  }

  private func randomValue(depth: Int, _ random: inout SplitMix64) -> JSON {
    switch Int.random(in: 0..<(depth == 0 ? 6 : 8), using: &random) {
    case 0: return nil
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .integer(Int(truncatingIfNeeded: random.next()))
    case 3: return .unsigned(random.next() | 1 << 63)
    case 4:
      let value = Double(bitPattern: random.next())
      return .number(value.isFinite ? value : -0.0)
    case 5: return .string(randomText(&random))
    case 6:
      return .array((0..<random.next() % 4).map { _ in randomValue(depth: depth - 1, &random) })
    default:
      return .object(
        (0..<random.next() % 4).map { _ in
          JSON.Member(key: randomText(&random), value: randomValue(depth: depth - 1, &random))
        })
    }
  }

  private func randomText(_ random: inout SplitMix64) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<random.next() % 12 {
      let limit: UInt32 = [0x80, 0x80, 0x800, 0x11_0000].randomElement(using: &random) ?? 0x80
      if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) {
        text.append(scalar)
      }
    }
    return String(text)
  }
}

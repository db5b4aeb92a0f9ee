internal import SparseCore

/// How the text of a value becomes a value, which texts are accepted, and what a shell offers.
struct ValueType<Value: Sendable>: Sendable {
  /// Every accepted text, if they can be listed.
  var allowed: [String] = []
  var completion = ParameterSpec.Completion.nothing
  let read: @Sendable (String) throws(ValueError) -> Value
}

/// Why a value was refused, as the end of a sentence: "must be a whole number of at least 1".
struct ValueError: Error, Equatable {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

extension ValueType where Value == String {
  /// Any text.
  static var text: Self { Self { text throws(ValueError) in text } }

  /// A path: any text but the empty one; a shell completes files.
  static var path: Self {
    Self(completion: .files) { text throws(ValueError) in
      guard !text.isEmpty else { throw ValueError("must not be empty") }
      return text
    }
  }

  /// One of the given words.
  static func word(of words: [String]) -> Self {
    Self(allowed: words, completion: .values) { text throws(ValueError) in
      guard words.contains(text) else { throw ValueError(choosing: text, from: words) }
      return text
    }
  }
}

extension ValueType where Value: CaseIterable & RawRepresentable<String> {
  /// One of an enumeration's raw values.
  static var choice: Self {
    let words = Value.allCases.map(\.rawValue)
    return Self(allowed: words, completion: .values) { text throws(ValueError) in
      guard let value = Value(rawValue: text) else {
        throw ValueError(choosing: text, from: words)
      }
      return value
    }
  }
}

extension ValueType {
  /// Some of an enumeration's raw values with commas between them; the same one twice counts once.
  static func list<Choice: CaseIterable & RawRepresentable<String> & Equatable>() -> Self
  where Value == [Choice] {
    Self { text throws(ValueError) in
      var values: [Choice] = []
      for word in text.split(separator: ",", omittingEmptySubsequences: false) {
        let value = try ValueType<Choice>.choice.read(String(word))
        if !values.contains(value) { values.append(value) }
      }
      return values
    }
  }
}

extension ValueType where Value == Int {
  /// A whole number from 1 up: so large at most that the product of two of them fits.
  static var positiveInteger: Self {
    Self { text throws(ValueError) in
      guard let value = Int(text), value > 0 else {
        throw ValueError("must be a whole number of at least 1")
      }
      guard value <= Int32.max else { throw ValueError("must be at most \(Int32.max)") }
      return value
    }
  }

  /// A whole number within `range`.
  static func integer(in range: ClosedRange<Int>) -> Self {
    Self { text throws(ValueError) in
      guard let value = Int(text), range.contains(value) else {
        throw ValueError("must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
  }

  /// A number of bytes: `512M`, `8G`, `1.5G`; a unit is 1024 of the one before.
  static var size: Self {
    Self { text throws(ValueError) in
      guard let bytes = byteCount(text) else {
        throw ValueError("must be a size such as 512M or 8G")
      }
      return bytes
    }
  }
}

extension ValueType where Value == UInt64 {
  /// A seed: any whole number that fits 64 bits.
  static var seed: Self {
    Self { text throws(ValueError) in
      guard let value = UInt64(text) else {
        throw ValueError("must be a whole number from 0 to \(UInt64.max)")
      }
      return value
    }
  }
}

extension ValueType where Value == Double {
  /// A finite number from 0 up.
  static var nonNegative: Self {
    Self { text throws(ValueError) in
      guard let value = Double(text), value.isFinite, value >= 0 else {
        throw ValueError("must be a number of at least 0")
      }
      return value
    }
  }
}

extension ValueType where Value == Double {
  /// A finite number above 0.
  static var positiveNumber: Self {
    Self { text throws(ValueError) in
      guard let value = Double(text), value.isFinite, value > 0 else {
        throw ValueError("must be a number above 0")
      }
      return value
    }
  }

  /// A number from 0 to 1.
  static var share: Self {
    Self { text throws(ValueError) in
      guard let value = Double(text), (0...1).contains(value) else {
        throw ValueError("must be a number from 0 to 1")
      }
      return value
    }
  }
}

extension ValueType where Value == Glob {
  /// A pattern for tensor names.
  static var glob: Self {
    Self { text throws(ValueError) in
      do throws(GlobError) {
        return try Glob(text)
      } catch {
        throw ValueError(error.description)
      }
    }
  }
}

extension ValueType where Value == Bool {
  /// What a flag stores: nothing is typed, so nothing is read.
  static var flag: Self { Self { _ throws(ValueError) in true } }
}

extension ValueError {
  /// The refusal of a word outside a list, with the nearest word of the list.
  init(choosing word: String, from words: [String]) {
    let list = words.map { "'\($0)'" }.joined(separator: ", ")
    let hint = Suggestion.nearest(to: word, among: words).map { ". Did you mean '\($0)'?" }
    self.init("choose from \(list)" + (hint ?? ""))
  }
}

/// The bytes that `text` asks for, or nil if it isn't a positive size that fits an `Int`.
private func byteCount(_ text: String) -> Int? {
  let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
  var unit = text.dropFirst(digits.count).uppercased()
  if unit.hasSuffix("IB") { unit.removeLast(2) } else if unit.hasSuffix("B") { unit.removeLast() }
  let units = ["": 0, "K": 10, "M": 20, "G": 30, "T": 40]
  guard let shift = units[unit], let number = Double(digits), number > 0 else { return nil }
  let bytes = (number * Double(1 << shift)).rounded()
  return bytes >= 1 ? Int(exactly: bytes) : nil
}

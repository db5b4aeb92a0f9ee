internal import SparseModel

/// Which part of the work an option names: by its number, or as the environment says.
enum PartValue: Sendable, Equatable {
  /// `I/N`, counted from 0.
  case part(WorkPart)
  /// `A..<B`.
  case range(Range<Int>)
  /// `auto`, or `auto/N` where the environment tells the index but not the count.
  case auto(count: Int?)
}

extension ValueType where Value == PartValue {
  /// `I/N`, `auto/N` or `auto`.
  static var part: Self {
    Self { text throws(ValueError) in
      guard let value = readPart(text) else {
        throw ValueError("must be I/N with I from 0 to N − 1, auto/N or auto")
      }
      return value
    }
  }

  /// The same, or a range `A..<B`.
  static var partOrRange: Self {
    Self { text throws(ValueError) in
      guard let value = readPart(text) ?? readRange(text).map(PartValue.range) else {
        throw ValueError("must be I/N with I from 0 to N − 1, auto/N, auto, or A..<B")
      }
      return value
    }
  }

  private static func readPart(_ text: String) -> PartValue? {
    if text == "auto" { return .auto(count: nil) }
    let sides = text.split(separator: "/", omittingEmptySubsequences: false)
    guard sides.count == 2, let count = readNumber(sides[1]), count > 0 else { return nil }
    if sides[0] == "auto" { return .auto(count: count) }
    return readNumber(sides[0]).flatMap { WorkPart($0, of: count) }.map(PartValue.part)
  }
}

extension ValueType where Value == Range<Int> {
  /// A range without its end, `A..<B`, or `A:B`, which no shell takes for a redirection.
  static var range: Self {
    Self { text throws(ValueError) in
      guard let range = readRange(text) else {
        throw ValueError("must be A..<B (in quotes) or A:B, counted from 0, with A below B")
      }
      return range
    }
  }
}

private func readRange(_ text: String) -> Range<Int>? {
  let separator = text.contains("..<") ? "..<" : ":"
  let bounds = text.split(separator: separator, omittingEmptySubsequences: false)
  guard bounds.count == 2, let lower = readNumber(bounds[0]), let upper = readNumber(bounds[1]),
    lower < upper
  else { return nil }
  return lower..<upper
}

/// A number in digits alone, small enough that the product of two fits.
private func readNumber(_ text: Substring) -> Int? {
  guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }), let value = Int(text),
    value <= Int32.max
  else { return nil }
  return value
}

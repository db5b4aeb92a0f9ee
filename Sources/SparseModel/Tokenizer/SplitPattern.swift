/// The regular expressions by which byte-level tokenizers cut text into words, as scanners by hand.
///
/// Each matches everywhere, so its matches tile the text. `\p{L}` and the like are over Unicode
/// scalars; a byte that belongs to no scalar counts as a symbol.
enum SplitPattern: Sendable, Equatable {
  /// GPT-2's, which is also what `ByteLevel` means by `use_regex`.
  case gpt2
  /// Llama 3's, with at most `digits` numbers in a word: 3 as published, 1 in Qwen2's form of it.
  case llama3(digits: Int)

  /// The scanner for a pattern as `tokenizer.json` writes it; nil if it is none of those known.
  init?(regex: String) {
    let tail =
      #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    let head = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"#
    switch regex {
    case #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#:
      self = .gpt2
    case head + #"\p{N}{1,3}"# + tail: self = .llama3(digits: 3)
    case head + #"\p{N}"# + tail: self = .llama3(digits: 1)
    default: return nil
    }
  }

  /// Where the match that starts at `start` ends.
  func end(ofMatchAt start: Int, in text: Span<UInt8>) -> Int {
    switch self {
    case .gpt2: text.endOfGPT2Word(at: start)
    case .llama3(let digits): text.endOfLlama3Word(at: start, digits: digits)
    }
  }
}

extension Span where Element == UInt8 {
  fileprivate func endOfGPT2Word(at start: Int) -> Int {
    // 's|'t|'re|'ve|'m|'ll|'d
    if self[start] == apostrophe, let end = endOfContraction(at: start, foldingCase: false) {
      return end
    }
    // " ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
    let first = self[start] == space && start + 1 < count ? start + 1 : start
    let (kind, length) = classified(at: first)
    if !kind.isWhiteSpace { return endOfRun(of: kind, from: first + length) }
    // \s+(?!\S)|\s+
    return endOfWhiteSpace(at: start)
  }

  fileprivate func endOfLlama3Word(at start: Int, digits: Int) -> Int {
    // (?i:'s|'t|'re|'ve|'m|'ll|'d)
    if self[start] == apostrophe, let end = endOfContraction(at: start, foldingCase: true) {
      return end
    }
    // [^\r\n\p{L}\p{N}]?\p{L}+
    let (kind, length) = classified(at: start)
    let second = start + length
    if kind == .letter { return endOfRun(of: .letter, from: second) }
    if kind == .space || kind == .symbol {
      let end = endOfRun(of: .letter, from: second)
      if end > second { return end }
    }
    // \p{N}{1,3}
    if kind == .number { return endOfNumbers(from: second, atMost: digits - 1) }
    // " ?[^\s\p{L}\p{N}]+[\r\n]*"
    let symbols = self[start] == space ? second : start
    let end = endOfRun(of: .symbol, from: symbols)
    if end > symbols { return endOfRun(of: .newline, from: end) }
    // \s*[\r\n]+
    if let end = endOfLastNewline(inWhiteSpaceAt: start) { return end }
    // \s+(?!\S)|\s+
    return endOfWhiteSpace(at: start)
  }

  private func endOfNumbers(from start: Int, atMost limit: Int) -> Int {
    var end = start
    for _ in 0..<limit where end < count {
      let (kind, length) = classified(at: end)
      guard kind == .number else { break }
      end += length
    }
    return end
  }

  /// The end of the 's, 't, 're, 've, 'm, 'll or 'd at the apostrophe at `start`.
  private func endOfContraction(at start: Int, foldingCase: Bool) -> Int? {
    let fold: UInt8 = foldingCase ? 0x20 : 0
    guard start + 1 < count else { return nil }
    switch self[start + 1] | fold {
    case letter("s"), letter("t"), letter("m"), letter("d"): return start + 2
    case letter("r"), letter("v"):
      guard start + 2 < count, self[start + 2] | fold == letter("e") else { return nil }
      return start + 3
    case letter("l"):
      guard start + 2 < count, self[start + 2] | fold == letter("l") else { return nil }
      return start + 3
    default:
      // The long s, U+017F, is an s to whoever folds case.
      guard foldingCase, scalar(at: start + 1).value == 0x17F else { return nil }
      return start + 3
    }
  }

  /// The end of `\s+(?!\S)|\s+`: a run of white space, but for its last scalar if a word follows.
  private func endOfWhiteSpace(at start: Int) -> Int {
    var end = start
    var last = start
    while end < count {
      let (kind, length) = classified(at: end)
      guard kind.isWhiteSpace else { return last > start ? last : end }
      last = end
      end += length
    }
    return end
  }

  private func endOfLastNewline(inWhiteSpaceAt start: Int) -> Int? {
    var end: Int?
    var index = start
    while index < count {
      let (kind, length) = classified(at: index)
      guard kind.isWhiteSpace else { break }
      index += length
      if kind == .newline { end = index }
    }
    return end
  }
}

private let apostrophe: UInt8 = 0x27
private let space: UInt8 = 0x20

private func letter(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(ascii: scalar) }

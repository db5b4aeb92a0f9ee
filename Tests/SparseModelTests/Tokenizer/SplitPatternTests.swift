internal import SparseCore
internal import Testing

@testable internal import SparseModel

/// The scanners against the standard library's regular expressions.
struct SplitPatternTests {
  static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  static let llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  static let qwen2 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#

  @Test(arguments: [gpt2, llama3, qwen2], 0..<20 as Range<UInt64>)
  func theScannerMatchesAsTheRegex(pattern: String, seed: UInt64) throws {
    let scanner = try #require(SplitPattern(regex: pattern))
    let regex = try Regex(pattern).matchingSemantics(.unicodeScalar)
    var random = SplitMix64(seed: seed)
    for length in [1, 2, 3, 5, 8, 100] {
      let text = RandomText.make(length: length, using: &random)
      #expect(
        words(text, scanner) == text.matches(of: regex).map { String(text[$0.range]) },
        "seed \(seed): \(text.debugDescription)")
    }
  }

  @Test func otherPatternsAreUnknown() {
    #expect(SplitPattern(regex: #"\s+"#) == nil)
    #expect(SplitPattern(regex: Self.llama3 + " ") == nil)
  }

  @Test(arguments: [
    (
      gpt2, "I'll say 'tis  42nd\n\n x",
      ["I", "'ll", " say", " '", "tis", " ", " 42", "nd", "\n\n", " x"]
    ),
    (
      llama3, "DON'T  1234\r\n\r\n !\n\tx",
      ["DON", "'T", " ", " ", "123", "4", "\r\n\r\n", " !\n", "\tx"]
    ),
    (qwen2, "a12 .5", ["a", "1", "2", " .", "5"]),
    (llama3, "'\u{17F}a'\u{17F}x", ["'\u{17F}", "a", "'\u{17F}", "x"]),
  ])
  func wordsAreAsExpected(pattern: String, text: String, expected: [String]) throws {
    let scanner = try #require(SplitPattern(regex: pattern))
    #expect(words(text, scanner) == expected)
  }

  private func words(_ text: String, _ scanner: SplitPattern) -> [String] {
    let bytes = Array(text.utf8)
    var words: [String] = []
    var start = 0
    while start < bytes.count {
      let end = scanner.end(ofMatchAt: start, in: bytes.span)
      words.append(String(decoding: bytes[start..<end], as: UTF8.self))
      start = end
    }
    return words
  }
}

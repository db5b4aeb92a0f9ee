/// How many times longer a text can get by the steps of one part of a tokenizer.json.
///
/// Steps multiply: a dozen that write a word in place of a letter turn a line into gigabytes. Real
/// tokenizers stay near 10, with "▁" put before a text and in place of its spaces.
struct Growth {
  /// More than this is refused.
  static let limit = 256

  private let part: String
  private var factor = 1

  /// No growth yet in the part of that name.
  init(in part: String) { self.part = part }

  /// Counts a step that makes `content` bytes out of `pattern` bytes, wherever it finds them.
  mutating func replace(_ pattern: Int, by content: Int) throws(TokenizerError) {
    try multiply(by: (content + pattern - 1) / pattern)
  }

  /// Counts a step that puts `count` bytes before a text, which may be a single byte.
  mutating func prepend(_ count: Int) throws(TokenizerError) { try multiply(by: count + 1) }

  private mutating func multiply(by other: Int) throws(TokenizerError) {
    let (product, overflow) = factor.multipliedReportingOverflow(by: max(1, other))
    if overflow || product > Self.limit { throw .growth(part: part, limit: Self.limit) }
    factor = product
  }
}

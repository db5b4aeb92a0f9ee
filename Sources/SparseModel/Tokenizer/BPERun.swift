/// The tokens of one text as they come, with what is remembered from word to word.
struct BPERun {
  /// All tokens so far.
  private(set) var tokens: [Int32] = []
  /// The tokens of the word at hand.
  var symbols: [Int32] = []
  var queue = MergeQueue()

  // Words seen before, each with its tokens' place in `remembered`.
  private var words = ByteStringTable()
  private var places: [Range<Int>] = []
  private var remembered: [Int32] = []

  /// Longer words hardly ever come again.
  private static let longestWord = 64
  /// Enough for the words that make up nearly all of any text, at a few megabytes.
  private static let mostWords = 1 << 16

  /// Appends the tokens of a word that was seen before; false if it was not.
  mutating func appendKnown(_ word: Span<UInt8>) -> Bool {
    guard word.count <= Self.longestWord, let number = words.number(of: word) else { return false }
    tokens += remembered[places[number]]
    return true
  }

  /// Appends `symbols`, the tokens of `word`, and remembers them.
  mutating func append(_ word: Span<UInt8>) {
    tokens += symbols
    guard word.count <= Self.longestWord, words.count < Self.mostWords else { return }
    _ = words.insert(word)
    places.append(remembered.count..<remembered.count + symbols.count)
    remembered += symbols
  }

  /// Appends a token that stands for itself.
  mutating func append(_ token: Int32) { tokens.append(token) }
}

/// Tokens that are found in the text itself, before anything else is done to it.
struct AddedTokens: Sendable {
  /// One such token.
  struct Token: Sendable {
    var id: Int32
    /// The text it is found by.
    var content: [UInt8]
    /// Whether it counts only where no letter, digit or the like touches it.
    let isSingleWord: Bool
    /// Whether it swallows the white space before it.
    let stripsLeft: Bool
    /// Whether it swallows the white space after it.
    let stripsRight: Bool
  }

  /// A stretch of a text.
  enum Part: Equatable {
    case text(Range<Int>)
    case token(Int32)
  }

  private let tokens: [Token]
  private var contents = ByteStringTable()  // number → index in `tokens`
  private var lengths = [[Int]](repeating: [], count: 256)  // by first byte, longest first

  /// A matcher for these tokens; of two with the same content the first counts.
  init(_ tokens: [Token]) {
    var distinct: [Token] = []
    for token in tokens {
      guard let first = token.content.first else { continue }
      let number = contents.insert(token.content.span)
      guard number == distinct.count else { continue }
      distinct.append(token)
      if !lengths[Int(first)].contains(token.content.count) {
        lengths[Int(first)].append(token.content.count)
      }
    }
    self.tokens = distinct
    for first in lengths.indices { lengths[first].sort(by: >) }
  }

  /// Whether there is nothing to find.
  var isEmpty: Bool { tokens.isEmpty }

  /// The parts of `text` in order: the leftmost token, the longest of those that start there, and so on.
  func split(_ text: Span<UInt8>) -> [Part] {
    if isEmpty { return text.isEmpty ? [] : [.text(0..<text.count)] }
    var parts: [Part] = []
    var done = 0
    var index = 0
    while index < text.count {
      guard let token = longestMatch(in: text, at: index) else {
        index += 1
        continue
      }
      let start = index
      let end = start + token.content.count
      index = end
      if token.isSingleWord, text.hasWord(before: start) || text.hasWord(at: end) { continue }
      let first = token.stripsLeft ? max(text.startOfWhiteSpace(before: start), done) : start
      if done < first { parts.append(.text(done..<first)) }
      parts.append(.token(token.id))
      done = token.stripsRight ? text.endOfWhiteSpace(from: end) : end
    }
    if done < text.count { parts.append(.text(done..<text.count)) }
    return parts
  }

  private func longestMatch(in text: Span<UInt8>, at start: Int) -> Token? {
    for length in lengths[Int(text[start])] where start + length <= text.count {
      if let number = contents.number(of: text.extracting(start..<start + length)) {
        return tokens[number]
      }
    }
    return nil
  }
}

extension Span where Element == UInt8 {
  fileprivate func startOfWhiteSpace(before index: Int) -> Int {
    var start = index
    while start > 0, case let scalar = scalar(before: start), scalar.isWhiteSpace {
      start -= scalar.length
    }
    return start
  }

  fileprivate func endOfWhiteSpace(from index: Int) -> Int {
    var end = index
    while end < count, case let scalar = scalar(at: end), scalar.isWhiteSpace {
      end += scalar.length
    }
    return end
  }

  fileprivate func hasWord(before index: Int) -> Bool {
    index > 0 && scalar(before: index).isWord
  }

  fileprivate func hasWord(at index: Int) -> Bool { index < count && scalar(at: index).isWord }
}

extension UTF8Scalar {
  fileprivate var isWhiteSpace: Bool { ScalarClass(value).isWhiteSpace }

  /// Whether this is a word character as UTS #18 has it: `\w`.
  fileprivate var isWord: Bool {
    guard let properties = Unicode.Scalar(value)?.properties else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
      return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
  }
}

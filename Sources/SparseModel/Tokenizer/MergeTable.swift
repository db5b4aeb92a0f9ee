internal import SparseCore

/// The merges of a BPE model: which pairs of tokens become one, and in which order.
struct MergeTable: Sendable {
  /// What becomes of a pair.
  struct Merge {
    /// The place in the list of merges: the lowest goes first.
    let rank: UInt32
    /// The token that the pair becomes.
    let token: Int32
  }

  private var merges: [UInt64: Merge] = [:]

  /// The merges of a list of `"a b"` or `["a", "b"]`.
  ///
  /// Of a pair that comes twice the last rank counts.
  init(_ field: JSONField, vocabulary: Vocabulary) throws(TokenizerError) {
    let list = try field.elements()
    merges.reserveCapacity(list.count)
    // Older files may carry the first line of merges.txt, which is no merge and takes no rank.
    var rank: UInt32 = 0
    for (index, entry) in list.enumerated() {
      if let text = entry.value.string, text.hasPrefix("#version") { continue }
      let (left, right) = try Self.pair(entry, index: index)
      func id(_ written: [UInt8]) throws(TokenizerError) -> Int32 {
        guard let id = vocabulary.id(of: written.span) else {
          throw .mergeWithoutToken(index: index, token: String(decoding: written, as: UTF8.self))
        }
        return id
      }
      let key = Self.key(try id(left), try id(right))
      merges[key] = Merge(rank: rank, token: try id(left + right))
      rank += 1
    }
  }

  /// The merge of two neighbouring tokens; nil if they stay apart.
  func merge(of left: Int32, _ right: Int32) -> Merge? { merges[Self.key(left, right)] }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private static func pair(
    _ entry: JSONField, index: Int
  ) throws(TokenizerError) -> ([UInt8], [UInt8]) {
    if let text = entry.value.string {
      let bytes = Array(text.utf8)
      guard let space = bytes.firstIndex(of: 0x20), bytes.lastIndex(of: 0x20) == space else {
        throw .malformedMerge(index: index, text: text)
      }
      return (Array(bytes[..<space]), Array(bytes[(space + 1)...]))
    }
    guard let pair = entry.value.array, pair.count == 2,
      let left = pair[0].string, let right = pair[1].string
    else { throw .malformedMerge(index: index, text: entry.value.text()) }
    return (Array(left.utf8), Array(right.utf8))
  }
}

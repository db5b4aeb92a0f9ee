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
    let list = try field.values()
    merges.reserveCapacity(list.count)
    var rank: UInt32 = 0
    for (index, entry) in list.enumerated() {
      // Older files may carry the first line of merges.txt, which is no merge and takes no rank.
      if let line = entry.string, line.utf8.starts(with: "#version".utf8) { continue }
      guard let pair = Self.pair(entry) else {
        throw .malformedMerge(index: index, text: entry.string ?? entry.text())
      }
      func id(_ written: [UInt8]) throws(TokenizerError) -> Int32 {
        guard let id = vocabulary.id(of: written.span) else {
          throw .mergeWithoutToken(index: index, token: String(decoding: written, as: UTF8.self))
        }
        return id
      }
      let key = Self.key(try id(pair.left), try id(pair.right))
      merges[key] = Merge(rank: rank, token: try id(pair.left + pair.right))
      rank += 1
    }
  }

  /// The merge of two neighbouring tokens; nil if they stay apart.
  func merge(of left: Int32, _ right: Int32) -> Merge? { merges[Self.key(left, right)] }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The two tokens that an element of the list names; nil if it does not name two.
  private static func pair(_ entry: JSON) -> (left: [UInt8], right: [UInt8])? {
    switch entry {
    case .string(let text):
      let bytes = Array(text.utf8)
      guard let space = bytes.firstIndex(of: 0x20), bytes.lastIndex(of: 0x20) == space else {
        return nil
      }
      return (Array(bytes[..<space]), Array(bytes[(space + 1)...]))
    case .array(let pair):
      guard pair.count == 2, let left = pair[0].string, let right = pair[1].string else {
        return nil
      }
      return (Array(left.utf8), Array(right.utf8))
    default: return nil
    }
  }
}

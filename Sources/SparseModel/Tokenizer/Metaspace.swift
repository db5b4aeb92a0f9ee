/// SentencePiece's way with spaces: each becomes a visible character, and one is put before the text.
struct Metaspace: Sendable {
  /// Which pieces get a marker in front if they have none.
  enum Prefix: String, Sendable {
    /// Every piece.
    case always
    /// The piece that starts the whole text.
    case first
    /// No piece.
    case never
  }

  /// The visible character, in UTF-8.
  let marker: [UInt8]
  let prefix: Prefix
  /// Whether a piece starts at every marker.
  let splits: Bool

  /// The settings of a pre-tokenizer or decoder of type `Metaspace`, older files' included.
  init(_ field: JSONField) throws(TokenizerError) {
    let replacement = try field.required("replacement")
    let character = try replacement.string()
    guard character.unicodeScalars.count == 1 else { throw replacement.mismatch("one character") }
    marker = Array(character.utf8)
    if let scheme = field["prepend_scheme"] {
      guard let prefix = Prefix(rawValue: try scheme.string()) else {
        throw scheme.mismatch("always, first or never")
      }
      self.prefix = prefix
    } else {
      prefix = try field.flag("add_prefix_space", default: true) ? .always : .never
    }
    splits = try field.flag("split", default: true)
  }

  /// Marks the spaces of all pieces and cuts before each marker.
  func cut(_ pieces: inout Pieces) {
    var isFirst = pieces.startsText
    pieces.rewrite { piece in
      defer { isFirst = false }
      let marked = Array(piece).replacing([0x20], with: marker)
      let wantsPrefix = prefix == .always || (prefix == .first && isFirst)
      return wantsPrefix && !marked.starts(with: marker) ? marker + marked : marked
    }
    guard splits else { return }
    pieces.cut { start, piece in
      var end = start + 1
      while end < piece.count, !piece.holds(marker, at: end) { end += 1 }
      return end
    }
  }
}

extension Span where Element == UInt8 {
  /// Whether `bytes` stand at `index`.
  func holds(_ bytes: [UInt8], at index: Int) -> Bool {
    guard index + bytes.count <= count else { return false }
    for offset in bytes.indices where self[index + offset] != bytes[offset] { return false }
    return true
  }
}

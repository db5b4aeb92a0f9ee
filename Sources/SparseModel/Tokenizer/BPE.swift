internal import SparseCore

/// A byte-pair encoding model: a word's characters are looked up, then merged in the order of the merges.
struct BPE: Sendable {
  /// What a word is made of.
  enum Alphabet: Sendable {
    /// Bytes, written in the vocabulary as `ByteAlphabet` has it.
    case bytes
    /// Unicode scalars, written as they are.
    case scalars
  }

  let vocabulary: Vocabulary
  private let merges: MergeTable
  private let alphabet: Alphabet
  /// The token of each byte (as a byte-level symbol, or as an ASCII character), or -1.
  private let byteTokens: [Int32]
  /// The token that stands for a byte in `<0x00>` form, or -1; nil without byte fallback.
  private let fallbackTokens: [Int32]?
  private let unknownToken: Int32?
  private let fusesUnknown: Bool
  /// Whether a word that is itself a token is that token, whatever the merges say.
  private let ignoresMerges: Bool
  /// Whether a text can be cut before each "▁" after something else, as no token reaches across one.
  private let cutsAtSpaces: Bool

  /// The model of the part `model` of a tokenizer.json.
  init(_ field: JSONField, alphabet: Alphabet) throws(TokenizerError) {
    if let type = field["type"], case let name = try type.string(), name != "BPE" {
      throw .unsupported(part: "model", name: name)
    }
    if let dropout = field["dropout"], dropout.value.double != 0 {
      throw .unsupported(part: "model", name: "BPE with dropout")
    }
    for affix in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let text = try field[affix]?.string(), !text.isEmpty {
        throw .unsupported(part: "model", name: "BPE with \(affix)")
      }
    }
    let vocabulary = try Vocabulary(field.required("vocab"))
    self.vocabulary = vocabulary
    merges = try MergeTable(field.required("merges"), vocabulary: vocabulary)
    self.alphabet = alphabet
    byteTokens = (0..<256).map { byte in
      let scalar = alphabet == .bytes ? ByteAlphabet.scalars[byte] : UInt32(byte)
      guard alphabet == .bytes || byte < 0x80 else { return -1 }
      var written: [UInt8] = []
      written.append(scalar: scalar)
      return vocabulary.id(of: written.span) ?? -1
    }
    fallbackTokens =
      try field.flag("byte_fallback", default: false)
      ? (0..<256).map { vocabulary.id(of: byteToken(UInt8($0)).span) ?? -1 } : nil
    let token = try field["unk_token"]?.string()
    unknownToken = token.flatMap { vocabulary.id(of: Array($0.utf8).span) }
    // With a token for every byte nothing is unknown: then it does not matter.
    let knowsAll = !(alphabet == .bytes ? byteTokens : fallbackTokens ?? [-1]).contains(-1)
    if let token, unknownToken == nil, !knowsAll { throw .unknownTokenMissing(token) }
    fusesUnknown = try field.flag("fuse_unk", default: false)
    ignoresMerges = try field.flag("ignore_merges", default: false)
    cutsAtSpaces =
      alphabet == .scalars && vocabulary.id(of: marker.span) != nil
      && !ignoresMerges
      && !vocabulary.allWritten.contains { $0.span.endOfUnit(from: 0) < $0.count }
  }

  /// Appends the tokens of one piece of pre-tokenized text to `run`.
  func encode(_ piece: Span<UInt8>, into run: inout BPERun) {
    guard cutsAtSpaces else { return encodeWord(piece, into: &run) }
    var start = 0
    while start < piece.count {
      let end = piece.endOfUnit(from: start)
      encodeWord(piece.extracting(start..<end), into: &run)
      start = end
    }
  }

  private func encodeWord(_ word: Span<UInt8>, into run: inout BPERun) {
    if run.appendKnown(word) { return }
    run.symbols.removeAll(keepingCapacity: true)
    if ignoresMerges, let token = wholeToken(word) {
      run.symbols.append(token)
    } else {
      appendSymbols(of: word, to: &run.symbols)
      run.queue.merge(&run.symbols, by: merges)
    }
    run.append(word)
  }

  private func wholeToken(_ word: Span<UInt8>) -> Int32? {
    switch alphabet {
    case .bytes: vocabulary.id(of: ByteAlphabet.written(word).span)
    case .scalars: vocabulary.id(of: word)
    }
  }

  /// Appends one token for each character, known or not.
  ///
  /// An unknown character becomes its bytes' tokens if all are there, else the unknown token, else
  /// nothing. As in the reference, an unknown token is held back until the next known character (so
  /// that neighbours can be fused into one), and byte tokens overtake it.
  private func appendSymbols(of word: Span<UInt8>, to symbols: inout [Int32]) {
    var unknowns = 0
    func release(_ symbols: inout [Int32]) {
      guard let unknownToken, unknowns > 0 else { return }
      symbols.append(unknownToken)
      unknowns = 0
    }
    var index = 0
    while index < word.count {
      let length = alphabet == .bytes ? 1 : word.scalar(at: index).length
      let character = word.extracting(index..<index + length)
      index += length
      if let token = token(of: character) {
        release(&symbols)
        symbols.append(token)
      } else if let tokens = fallback(for: character) {
        symbols += tokens
      } else if unknownToken != nil {
        if !fusesUnknown { release(&symbols) }
        unknowns += 1
      }
    }
    release(&symbols)
  }

  private func token(of character: Span<UInt8>) -> Int32? {
    if character.count > 1 { return vocabulary.id(of: character) }
    let token = byteTokens[Int(character[0])]
    return token < 0 ? nil : token
  }

  private func fallback(for character: Span<UInt8>) -> [Int32]? {
    guard let fallbackTokens else { return nil }
    // The bytes of what the vocabulary would have: for a byte-level model, of the byte's character.
    let bytes =
      alphabet == .bytes ? ByteAlphabet.written(character) : character.indices.map { character[$0] }
    let tokens = bytes.map { fallbackTokens[Int($0)] }
    return tokens.contains(-1) ? nil : tokens
  }
}

/// "▁", which SentencePiece writes for a space.
private let marker: [UInt8] = Array("\u{2581}".utf8)

/// How a vocabulary writes a byte that falls back: `<0x0A>`.
private func byteToken(_ byte: UInt8) -> [UInt8] {
  let digits = String(byte, radix: 16, uppercase: true)
  return Array("<0x\(byte < 16 ? "0" : "")\(digits)>".utf8)
}

extension Span where Element == UInt8 {
  /// The end of the stretch from `start` that reaches to the first "▁" behind something else than "▁".
  fileprivate func endOfUnit(from start: Int) -> Int {
    var index = start
    var isAfterMarker = true
    while index < count {
      let isMarker =
        self[index] == 0xE2 && index + 2 < count && self[index + 1] == 0x96
        && self[index + 2] == 0x81
      if isMarker, !isAfterMarker { return index }
      isAfterMarker = isMarker
      index += isMarker ? 3 : 1
    }
    return index
  }
}

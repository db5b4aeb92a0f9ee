public import SparseCore

/// Text to token ids and back, as a Hugging Face `tokenizer.json` says.
///
/// Supported are byte-pair encodings: byte-level ones with the pre-tokenizers of GPT-2, SmolLM2,
/// Llama 3 and Qwen2, and SentencePiece-style ones with byte fallback as Llama 2 and Mistral ship them.
/// Anything else in the file is an error that says what it is. Truncation and padding are ignored.
/// ``encode(_:)-(String)`` puts no id before or after a text; ``startTokens`` are those that belong before it.
///
/// ```swift
/// let tokenizer = try Tokenizer(contentsOf: "model/tokenizer.json")
/// let ids = tokenizer.encode("The quick brown fox")
/// print(String(decoding: tokenizer.decode(ids), as: UTF8.self))
/// ```
public struct Tokenizer: Sendable {
  private let normalizer: Normalizer
  private let preTokenizer: PreTokenizer
  private let model: BPE
  private let decoder: TokenDecoder
  private let added: AddedVocabulary
  /// The tokens that the post-processor puts before a text; empty where it puts none.
  public let startTokens: [Int32]

  /// The tokenizer that the file at `path` describes.
  public init(contentsOf path: String) throws(TokenizerError) {
    let file: MappedFile
    let json: JSON
    do { file = try MappedFile(path: path) } catch { throw .unreadable(error) }
    do { json = try JSON(parsing: file.bytes) } catch { throw .malformed(error) }
    try self.init(json: json)
  }

  /// The tokenizer that the contents of a `tokenizer.json` describe.
  public init(json: JSON) throws(TokenizerError) {
    let root = JSONField(value: json, path: "")
    normalizer = try Normalizer(root["normalizer"])
    preTokenizer = try PreTokenizer(root["pre_tokenizer"])
    model = try BPE(root.required("model"), alphabet: preTokenizer.alphabet)
    decoder = try TokenDecoder(root["decoder"])
    let added = try AddedVocabulary(
      root["added_tokens"], vocabulary: model.vocabulary, normalizer: normalizer)
    self.added = added
    let vocabulary = model.vocabulary
    startTokens = try StartTokens(root["post_processor"]) {
      added.content($0) != nil || vocabulary.written($0) != nil
    }.ids
  }

  /// One more than the largest token id: a model needs as many rows in its embedding.
  public var vocabularySize: Int { max(model.vocabulary.idBound, added.idBound) }

  /// The id of the token that `tokenizer.json` writes as `token` ("<|endoftext|>", "Ġthe", "<0x0A>"); nil
  /// if there is none.
  public func id(of token: String) -> Int32? {
    let written = Array(token.utf8)
    return added.id(of: written) ?? model.vocabulary.id(of: written.span)
  }
}

// MARK: Encoding

extension Tokenizer {
  /// The token ids of `text`, none for an empty one; nothing is put before or after it.
  ///
  /// Added tokens that are written out in the text, special ones included, become their ids.
  ///
  /// - Complexity: O(n log n) at worst; words that come again are remembered.
  public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

  /// The token ids of a text in UTF-8.
  ///
  /// A byte that belongs to no well-formed character counts as a symbol and keeps its value where the
  /// vocabulary has a token for single bytes, so that byte-level models give back any bytes at all.
  public func encode(_ text: [UInt8]) -> [Int32] {
    var run = BPERun()
    for part in added.verbatim.split(text.span) {
      switch part {
      case .token(let id): run.append(id)
      case .text(let range):
        // No copy of a text without added tokens.
        let piece = range == text.indices ? text : Array(text[range])
        encode(stretch: piece, startsText: range.lowerBound == 0, into: &run)
      }
    }
    return run.tokens
  }

  private func encode(stretch: [UInt8], startsText: Bool, into run: inout BPERun) {
    let normalized = normalizer.normalize(stretch)
    for part in added.normalized.split(normalized.span) {
      switch part {
      case .token(let id): run.append(id)
      case .text(let range):
        let piece = range == normalized.indices ? normalized : Array(normalized[range])
        var pieces = Pieces(piece, startsText: startsText && range.lowerBound == 0)
        preTokenizer.cut(&pieces)
        var start = 0
        for end in pieces.ends {
          model.encode(pieces.bytes.span.extracting(start..<end), into: &run)
          start = end
        }
      }
    }
  }
}

// MARK: Decoding

extension Tokenizer {
  /// The text of `ids` in UTF-8, special tokens written out; ids without a token add nothing.
  ///
  /// The ids of a text give back that text, byte for byte, for a byte-level model that does not
  /// normalize; others give back the normalized text without the space that was put before it. The
  /// ids of a part of a text may end within a character. White space that an added token
  /// swallowed is gone.
  public func decode(_ ids: some Sequence<Int32>) -> [UInt8] {
    decoder.decode(
      ids.compactMap { id in
        if let content = added.content(id) { return .init(bytes: content, isAdded: true) }
        return model.vocabulary.written(id).map { .init(bytes: Array($0), isAdded: false) }
      })
  }
}

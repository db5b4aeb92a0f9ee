/// The `added_tokens` of a tokenizer.json: found in the text before or after it is normalized.
struct AddedVocabulary: Sendable {
  /// Those to look for in the text as it is.
  let verbatim: AddedTokens
  /// Those to look for in the normalized text, where they stand normalized themselves.
  let normalized: AddedTokens
  private let contents: [Int32: [UInt8]]
  private let ids: [[UInt8]: Int32]

  /// One more than the largest id; 0 if there is none.
  let idBound: Int

  /// The tokens of the part `added_tokens`.
  ///
  /// As in the reference, the ids that they state do not count: a token of the model's vocabulary keeps its id, the
  /// others are numbered on from the size of the vocabulary. Of two with one content the first counts.
  init(
    _ field: JSONField?, vocabulary: Vocabulary, normalizer: Normalizer
  ) throws(TokenizerError) {
    var special: [Entry] = []
    var classic: [Entry] = []
    var contents: [Int32: [UInt8]] = [:]
    var ids: [[UInt8]: Int32] = [:]
    var next = vocabulary.count
    for element in try field?.elements() ?? [] {
      var entry = try Entry(element)
      let content = entry.token.content
      guard !content.isEmpty, ids[content] == nil else { continue }
      entry.token.id = vocabulary.id(of: content.span) ?? Int32(next)
      next = max(next, Int(entry.token.id) + 1)
      ids[content] = entry.token.id
      // What was found in normalized text is given back normalized.
      contents[entry.token.id] = entry.isNormalized ? normalizer.normalize(content) : content
      if entry.isSpecial { special.append(entry) } else { classic.append(entry) }
    }
    self.contents = contents
    self.ids = ids
    idBound = contents.keys.reduce(0) { max($0, Int($1) + 1) }
    let all = special + classic
    verbatim = AddedTokens(all.filter { !$0.isNormalized }.map(\.token))
    normalized = AddedTokens(
      all.filter(\.isNormalized).map { entry in
        var token = entry.token
        token.content = contents[token.id] ?? token.content
        return token
      })
  }

  /// The text that an added token stands for; nil for other ids.
  func content(_ id: Int32) -> [UInt8]? { contents[id] }

  /// The id of the added token with this text.
  func id(of content: [UInt8]) -> Int32? { ids[content] }
}

/// One element of `added_tokens`.
private struct Entry {
  var token: AddedTokens.Token
  let isSpecial: Bool
  let isNormalized: Bool

  init(_ field: JSONField) throws(TokenizerError) {
    token = AddedTokens.Token(
      id: try field.required("id").tokenID(),
      content: Array(try field.required("content").string().utf8),
      isSingleWord: try field.flag("single_word", default: false),
      stripsLeft: try field.flag("lstrip", default: false),
      stripsRight: try field.flag("rstrip", default: false))
    isSpecial = try field.flag("special", default: false)
    isNormalized = try field.flag("normalized", default: !isSpecial)
  }
}

internal import SparseCore

/// What is put before a text that is cut into windows, and before a prompt.
public enum TextStart: String, Sendable, CaseIterable {
  /// The tokens that the tokenizer's post-processor puts there; none where it puts none.
  case auto
  /// Nothing.
  case none
}

/// The tokens that a `tokenizer.json` puts before a single text.
///
/// These are the special tokens before sequence A in the template `single`, or the classifier token of BERT and RoBERTa.
/// `tokenizers` 0.22 defines the parts; `add_bos_token` of tokenizer_config.json does not count, as in transformers 5.24.
struct StartTokens {
  /// The ids, in order.
  let ids: [Int32]

  /// The tokens of the part `post_processor`.
  ///
  /// - Parameter isKnown: whether an id has a token.
  /// - Throws: ``TokenizerError`` for a part of an unknown kind, and for an id without a token.
  init(_ field: JSONField?, isKnown: (Int32) -> Bool) throws(TokenizerError) {
    guard let field else {
      ids = []
      return
    }
    switch try field.type() {
    case "ByteLevel": ids = []
    case "Sequence":
      // Each part works on what the one before gives.
      var all: [Int32] = []
      for part in try field.required("processors").elements() {
        all = try StartTokens(part, isKnown: isKnown).ids + all
      }
      ids = all
    case "TemplateProcessing": ids = try Self.template(field, isKnown)
    case "BertProcessing", "RobertaProcessing":
      let pair = try field.required("cls").elements()
      guard pair.count == 2 else { throw try field.required("cls").mismatch("a token and its id") }
      ids = [try Self.id(pair[1], isKnown)]
    case let name: throw .unsupported(part: "post_processor", name: name)
    }
  }

  private static func template(
    _ field: JSONField, _ isKnown: (Int32) -> Bool
  ) throws(TokenizerError) -> [Int32] {
    var ids: [Int32] = []
    for piece in try field.required("single").elements() {
      if piece["Sequence"] != nil { return ids }
      let name = try piece.required("SpecialToken").required("id").string()
      // A key may hold dots and such: it is looked up as it is.
      let token = try field.required("special_tokens").required(name)
      for id in try token.required("ids").elements() { ids.append(try Self.id(id, isKnown)) }
    }
    throw try field.required("single").mismatch("a template with a sequence")
  }

  private static func id(
    _ field: JSONField, _ isKnown: (Int32) -> Bool
  ) throws(TokenizerError) -> Int32 {
    let id = try field.tokenID()
    guard isKnown(id) else { throw field.mismatch("the id of a token") }
    return id
  }
}

extension Tokenizer {
  /// The tokens to put before a text.
  public func startTokens(_ start: TextStart) -> [Int32] { start == .auto ? startTokens : [] }

  /// The windows of a text file: each the start tokens, then as many of the text's tokens as it has room for.
  ///
  /// - Parameter length: the tokens of a window, the start tokens included.
  /// - Returns: the windows, and the number of tokens in the text.
  /// - Throws: ``TextError``, the errors of reading the file, and ``EvaluationError/nothingToPredict(windows:length:)``
  ///   for windows with no room for text.
  func windows(
    of path: String, length: Int, start: TextStart
  ) throws -> (windows: TokenWindows, found: Int) {
    let ids = try encode(contentsOf: path)
    let start = startTokens(start)
    guard length > start.count else {
      throw EvaluationError.nothingToPredict(windows: 0, length: length)
    }
    return (TokenWindows(cutting: ids, length: length, startTokens: start), ids.count)
  }
}

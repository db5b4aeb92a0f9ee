public import SparseCore

/// Why a `tokenizer.json` cannot be used.
public enum TokenizerError: Error, Equatable, Sendable {
  /// The file could not be read.
  case unreadable(FileError)
  /// The file is not JSON.
  case malformed(JSONError)
  /// A part that must be there is not; the key is written with its path, as in `model.vocab`.
  case missing(key: String)
  /// A value is of the wrong kind or out of range.
  case invalid(key: String, expected: String, found: String)
  /// The file asks for a kind of tokenizer that is refused: `name` of the kind `part`.
  case unsupported(part: String, name: String)
  /// The steps of a part could make a text more than `limit` times as long.
  case growth(part: String, limit: Int)
  /// A pre-tokenizer splits by a regular expression that is none of those known.
  case unknownPattern(String)
  /// The merge at `index` is not two tokens.
  case malformedMerge(index: Int, text: String)
  /// The merge at `index` needs a token that the vocabulary lacks.
  case mergeWithoutToken(index: Int, token: String)
  /// The token for unknown characters is not in the vocabulary.
  case unknownTokenMissing(String)
  /// Two different tokens have the same id.
  case sharedID(id: Int32, first: String, second: String)
}

extension TokenizerError: CustomStringConvertible {
  /// One line: what is wrong, and where.
  public var description: String {
    switch self {
    case .unreadable(let error): "\(error)"
    case .malformed(let error): "\(error)"
    case .missing(let key): "\(key) is missing"
    case .invalid(let key, let expected, let found): "\(key) must be \(expected), found \(found)"
    case .unsupported(let part, let name):
      "\(part) \(name) is not supported"
    case .growth(let part, let limit):
      "the steps of \(part) could make a text more than \(limit) times as long"
    case .unknownPattern(let pattern):
      "pre-tokenizer pattern \(pattern) is not supported (known: those of GPT-2, Llama 3 and Qwen2)"
    case .malformedMerge(let index, let text): "model.merges[\(index)] is not two tokens: \(text)"
    case .mergeWithoutToken(let index, let token):
      "model.merges[\(index)] needs the token '\(token)', which is not in model.vocab"
    case .unknownTokenMissing(let token): "model.unk_token '\(token)' is not in model.vocab"
    case .sharedID(let id, let first, let second):
      "id \(id) belongs to both '\(first)' and '\(second)'"
    }
  }
}

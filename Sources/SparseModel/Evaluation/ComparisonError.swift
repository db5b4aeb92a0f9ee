internal import SparseCore

/// Why two models are too different to be compared.
public enum ComparisonError: Error, Equatable {
  /// Their vocabularies are not of one size.
  case vocabularies(String, Int, String, Int)
  /// Their tokenizers are not the same, so that a text gives them different tokens.
  case tokenizers(String, String)
}

extension ComparisonError: CustomStringConvertible {
  /// One line that names both models.
  public var description: String {
    switch self {
    case .vocabularies(let a, let sizeA, let b, let sizeB):
      "\(a) has a vocabulary of \(sizeA.counting("token")) and \(b) one of \(sizeB): predictions cannot be compared"
    case .tokenizers(let a, let b):
      "\(a) and \(b) are different tokenizers, so one text is not the same tokens to both models"
    }
  }
}

extension Checkpoint {
  /// Throws unless another checkpoint has this one's vocabulary size and its tokenizer.
  ///
  /// Tokenizers are the same if their files say the same, however they are laid out.
  ///
  /// - Parameter readsText: whether tokenizers matter: given token ids, they do not.
  /// - Throws: ``ComparisonError``, and ``ModelError`` where config.json or tokenizer.json is missing.
  public func requireSameLanguage(as other: Checkpoint, readsText: Bool) throws {
    let (ours, theirs) = (try ModelConfiguration(self), try ModelConfiguration(other))
    guard ours.vocabulary == theirs.vocabulary else {
      throw ComparisonError.vocabularies(path, ours.vocabulary, other.path, theirs.vocabulary)
    }
    guard readsText else { return }
    let (a, b) = (try requiredTokenizer, try other.requiredTokenizer)
    let (bytesA, bytesB) = (try MappedFile(path: a).bytes, try MappedFile(path: b).bytes)
    let isSame = bytesA.withUnsafeBytes { a in bytesB.withUnsafeBytes { a.elementsEqual($0) } }
    if isSame { return }
    let json = try? (JSON(parsing: bytesA), JSON(parsing: bytesB))
    guard let json, json.0 == json.1 else { throw ComparisonError.tokenizers(a, b) }
  }

  private var requiredTokenizer: String {
    get throws {
      guard let path = tokenizerPath else { throw ModelError.missingTokenizer(folder: folder) }
      return path
    }
  }
}

internal import SparseCore

/// Why a checkpoint cannot be run as a model.
public enum ModelError: Error, Equatable {
  /// There is no config.json beside the weights.
  case missingConfiguration(folder: String)
  /// There is no tokenizer.json beside the weights.
  case missingTokenizer(folder: String)
  /// config.json is not JSON.
  case malformedConfiguration(path: String, reason: String)
  /// config.json says something that cannot be used.
  case configuration(path: String, ConfigurationError)
  /// tokenizer.json cannot be used.
  case tokenizer(path: String, TokenizerError)
  /// A tensor that config.json implies is not in the checkpoint.
  case missingTensor(String, shape: [Int], model: String)
  /// A tensor has another shape than config.json implies.
  case shapeMismatch(String, configuration: [Int], file: [Int], model: String)
  /// The checkpoint holds a block beyond those that config.json counts.
  case surplusBlock(tensor: String, blocks: Int, model: String)
  /// The activations that reach a stage hold NaN or infinity.
  case nonFiniteActivations(block: Int, stage: String)
  /// A token id is outside the vocabulary.
  case tokenOutOfRange(id: Int, vocabulary: Int, source: String)
  /// A token of the tokenizer, added to it after the model was made, has no row in the embedding.
  case tokenBeyondEmbedding(
    id: Int, token: String, vocabulary: Int, tokenizer: String, source: String)
  /// More tokens were asked for than the model's context holds.
  case contextTooLong(asked: Int, context: Int)
  /// More tokens were asked for than the model was opened for, though its context holds them.
  case tooManyPositions(asked: Int, positions: Int)
}

extension ModelError: CustomStringConvertible {
  /// One line that names the file, the tensor and the numbers.
  public var description: String {
    switch self {
    case .missingConfiguration(let folder):
      "no config.json in \(folder), which running the model needs"
    case .missingTokenizer(let folder):
      "no tokenizer.json in \(folder), which reading text needs"
    case .malformedConfiguration(let path, let reason): "\(path): \(reason)"
    case .configuration(let path, let error): "\(path): \(error)"
    case .tokenizer(let path, let error): "\(path): \(error)"
    case .missingTensor(let name, let shape, let model):
      "\(model): tensor '\(name)' of shape \(shape) is missing, config.json implies it"
    case .shapeMismatch(let name, let configuration, let file, let model):
      "\(model): tensor '\(name)' is \(file), config.json implies \(configuration)"
    case .surplusBlock(let name, let blocks, let model):
      "\(model): tensor '\(name)' is beyond what config.json counts, \(blocks.counting("block"))"
    case .nonFiniteActivations(let block, let stage):
      "the activations that reach stage '\(stage)' of block \(block) hold NaN or infinity"
    case .tokenOutOfRange(let id, let vocabulary, let source):
      "\(source): token id \(id) is outside the vocabulary of \(vocabulary)"
    case .tokenBeyondEmbedding(let id, let token, let vocabulary, let tokenizer, let source):
      "\(source): the token '\(token)' has id \(id) in \(tokenizer), "
        + "and the model's embedding has \(vocabulary.counting("row")): it was never resized"
    case .contextTooLong(let asked, let context):
      "\(asked) tokens were asked for, the model's context holds \(context)"
    case .tooManyPositions(let asked, let positions):
      "\(asked) tokens were asked for, the model was opened for \(positions)"
    }
  }
}

public import SparseCore

/// A decoder-only language model over a checkpoint's mapped weights.
///
/// ```swift
/// let model = try LanguageModel(Checkpoint(path: "SmolLM2-135M"))
/// let score = try model.perplexity(of: tokens, length: 512)
/// ```
///
/// All arithmetic is float32. Weights stay in the mapped file and are converted while they are
/// packed for multiplication, one block at a time.
public struct LanguageModel: Sendable {
  /// The model's shape.
  public let configuration: ModelConfiguration
  /// Where the weights come from.
  public let checkpoint: Checkpoint
  /// The longest sequence that can be run.
  public let positions: Int
  /// The tensors that neither the forward pass nor any loader needs, in the checkpoint's order.
  ///
  /// A config.json that names another family leaves some, and so do the blocks that predict tokens further ahead.
  public let unreadTensors: [String]
  package let blocks: [any DecoderBlock]
  /// What the checkpoint calls the tensors.
  let names: DecoderNames
  /// A tensor that repeats the embedding, with which the output projection is tied; nil where there is none.
  let redundantHead: String?
  let embedding: StoredMatrix  // vocabulary × width
  let finalNorm: [Float]  // width
  let outputProjection: StoredMatrix  // vocabulary × width

  /// The model in a checkpoint with its config.json.
  ///
  /// - Parameter positions: the longest sequence that will be run; `nil` for the model's context.
  /// - Throws: ``ModelError`` when config.json is missing or cannot be used, when a tensor is missing
  ///   or has another shape, or when `positions` exceeds the model's context.
  public init(_ checkpoint: Checkpoint, positions: Int? = nil) throws {
    try self.init(checkpoint, positions: positions, configuration: nil)
  }

  /// The same with a configuration in place of that beside the weights; nil for the latter.
  init(_ checkpoint: Checkpoint, positions: Int?, configuration: ModelConfiguration?) throws {
    var configuration = try configuration ?? ModelConfiguration(checkpoint)
    if configuration.claimsCompressedWeights,
      try !checkpoint.modelTensors().contains(where: \.isCompressed)
    {
      throw CompressedWeightError.noneCompressed(
        format: CompressedTensors.sparseFormat, path: checkpoint.configPath ?? checkpoint.folder)
    }
    let positions = positions ?? configuration.contextLength
    guard positions <= configuration.contextLength else {
      throw ModelError.contextTooLong(asked: positions, context: configuration.contextLength)
    }
    guard let architecture = DecoderArchitecture.named(configuration.architecture) else {
      preconditionFailure("ModelConfiguration let \(configuration.architecture) through")
    }
    var names = DecoderNames(of: checkpoint)
    if configuration.tiesEmbeddings { try names.embedWithHead(ifAloneIn: checkpoint) }
    let tensors = ModelTensors(checkpoint, configuration, names, positions: positions)
    let (vocabulary, width) = (configuration.vocabulary, configuration.width)
    embedding = try tensors.matrix(names.embedding, rows: vocabulary, columns: width)
    finalNorm = try tensors.vector(names.finalNorm, count: width)
    if try configuration.tiesEmbeddings
      && (names.embedding == names.head || checkpoint.weightShape(names.head) == nil)
    {
      outputProjection = embedding
      redundantHead = nil
    } else {
      let head = try tensors.matrix(names.head, rows: vocabulary, columns: width)
      // As in transformers 5 and vLLM, a head that differs is the head, whatever config.json says.
      configuration.tiesEmbeddings = configuration.tiesEmbeddings && head.holdsValues(of: embedding)
      outputProjection = configuration.tiesEmbeddings ? embedding : head
      redundantHead = configuration.tiesEmbeddings ? names.head : nil
      checkpoint.release(names.head)
    }
    // One after the other, so that a senseless number ends at the first tensor that is missing.
    var blocks: [any DecoderBlock] = []
    for index in 0..<configuration.blocks {
      blocks.append(try architecture.makeBlock(index, configuration, tensors))
    }
    self.blocks = blocks
    unreadTensors = try tensors.unread(blocks: configuration.blocks)
    self.names = names
    self.configuration = configuration
    self.checkpoint = checkpoint
    self.positions = positions
  }

  /// Throws where sequences of that many tokens are longer than the model's context, or than the
  /// model was opened for.
  func checkLength(_ tokens: Int) throws(ModelError) {
    if tokens > configuration.contextLength {
      throw .contextTooLong(asked: tokens, context: configuration.contextLength)
    }
    if tokens > positions { throw .tooManyPositions(asked: tokens, positions: positions) }
  }

  /// The embeddings of token ids, `ids.count × width`.
  ///
  /// - Throws: ``ModelError/tokenOutOfRange(id:vocabulary:source:)`` and
  ///   ``ModelError/tokenBeyondEmbedding(id:token:vocabulary:tokenizer:source:)``.
  package func embed(_ ids: some Collection<Int32>, source: String) throws -> Matrix {
    for id in ids where id < 0 || Int(id) >= configuration.vocabulary {
      throw error(of: id, source: source)
    }
    return Matrix(rows: Array(ids), of: embedding)
  }

  /// The error for an id without a row in the embedding, which the tokenizer may have a token for.
  func error(of id: Int32, source: String) -> ModelError {
    let vocabulary = configuration.vocabulary
    if let path = checkpoint.tokenizerPath, let tokenizer = try? Tokenizer(for: checkpoint) {
      let token = String(decoding: tokenizer.decode([id]), as: UTF8.self)
      if !token.isEmpty {
        return .tokenBeyondEmbedding(
          id: Int(id), token: token, vocabulary: vocabulary, tokenizer: path, source: source)
      }
    }
    return .tokenOutOfRange(id: Int(id), vocabulary: vocabulary, source: source)
  }

  /// Lets go of the embedding's pages in memory; they come back when they are read again.
  func releaseEmbedding() { checkpoint.release(names.embedding) }

  /// The same for the embedding and the output projection.
  func releaseTables() {
    releaseEmbedding()
    checkpoint.release(outputProjectionName)
  }

  /// The name of the output projection's weight, which may be the embedding.
  var outputProjectionName: String {
    configuration.tiesEmbeddings ? names.embedding : names.head
  }

  /// The last hidden states as the output projection reads them.
  func finish(_ hidden: Matrix, on compute: Compute) -> Matrix {
    rmsNorm(hidden, weight: finalNorm, epsilon: configuration.normEpsilon, on: compute)
  }

  /// The logits of every row of the last hidden states, `tokens × vocabulary`.
  package func logits(_ hidden: Matrix, on compute: Compute) -> Matrix {
    linear(finish(hidden, on: compute), outputProjection, on: compute)
  }

  /// Logits of a single sequence, one row for each of its tokens: `ids.count × vocabulary`.
  ///
  /// - Throws: ``ModelError`` when an id is outside the vocabulary or there are more than ``positions``.
  public func logits(of ids: [Int32], on compute: Compute = .automatic) throws -> Matrix {
    try checkLength(ids.count)
    var state = BlockState(
      hidden: try embed(ids, source: "tokens"), positions: .sequences(length: ids.count))
    for block in blocks {
      block.run(&state, on: compute) { layer, x in linear(x, layer.stored, on: compute) }
    }
    return logits(state.hidden, on: compute)
  }
}

extension ModelConfiguration {
  /// The token that a text of this checkpoint's model starts with; nil where the model has none.
  ///
  /// Checked here and not with the rest of config.json, since most of what a model is used for never
  /// asks for it.
  ///
  /// - Throws: ``ModelError/configuration(path:_:)`` for one that is not in the vocabulary.
  public func startToken(of checkpoint: Checkpoint) throws(ModelError) -> Int32? {
    guard let bosToken, bosToken < 0 || Int(bosToken) >= vocabulary else { return bosToken }
    throw .configuration(
      path: checkpoint.configPath ?? checkpoint.folder,
      .outsideVocabulary(key: "bos_token_id", id: Int(bosToken), vocabulary: vocabulary))
  }

  /// The tokens that end a text that this checkpoint's model writes.
  ///
  /// As in transformers, a generation_config.json alone says them where there is one.
  ///
  /// - Throws: ``ModelError`` where that file is malformed.
  public func endTokens(of checkpoint: Checkpoint) throws -> [Int32] {
    let name = "generation_config.json"
    guard let path = checkpoint.pathBeside(name),
      let json = try checkpoint.configurationJSON(name)
    else { return eosTokens }
    do throws(ConfigurationError) {
      return try ConfigurationFields(json: json).tokens("eos_token_id")
    } catch {
      throw ModelError.configuration(path: path, error)
    }
  }

  /// The configuration beside a checkpoint.
  ///
  /// - Throws: ``ModelError`` when config.json is missing, malformed or unsupported.
  public init(_ checkpoint: Checkpoint) throws {
    guard let path = checkpoint.configPath, let json = try checkpoint.configurationJSON() else {
      throw ModelError.missingConfiguration(folder: checkpoint.folder)
    }
    do throws(ConfigurationError) {
      self = try ModelConfiguration(json: json)
    } catch {
      throw ModelError.configuration(path: path, error)
    }
  }
}

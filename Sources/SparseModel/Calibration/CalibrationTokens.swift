internal import SparseCore

extension CalibrationOptions {
  /// The calibration tokens of a file, or nil where the model is to write them.
  ///
  /// - Throws: ``CalibrationError``, ``ModelError``, ``TextError``, and the errors of reading files.
  func readTokens(for model: LanguageModel) throws -> TokenWindows? {
    let length = length(context: model.configuration.contextLength)
    let windows: TokenWindows
    switch source {
    case .selfWritten:
      _ = try model.configuration.startToken(of: model.checkpoint)
      return nil
    case .text(let path):
      let tokenizer = try Tokenizer(for: model.checkpoint)
      let ids = try tokenizer.encode(contentsOf: path)
      windows = try cut(
        ids, into: length, startTokens: tokenizer.startTokens(start), path: path)
    case .tokens(let path):
      windows = try readTokens(path, length: self.length, context: length)
    }
    try windows.requireVocabulary(of: model, source: source.name)
    return windows
  }

  /// The first windows of a text, or windows at random places for a seed other than 0.
  private func cut(
    _ ids: [Int32], into length: Int, startTokens: [Int32], path: String
  ) throws -> TokenWindows {
    // The tokens of a text that a window holds.
    let room = length - startTokens.count
    guard room > 0 else {
      throw CalibrationError.noRoomForText(
        path: path, length: length, startTokens: startTokens.count)
    }
    let available = ids.count / room
    let count = samples ?? min(Self.defaultSamples, available)
    guard count > 0, count <= available else {
      throw CalibrationError.tooLittleText(
        path: path, tokens: ids.count, samples: max(1, count), length: room)
    }
    var random = SplitMix64(seed: seed)
    let starts = (0..<count).map {
      seed == 0 ? $0 * room : Int.random(in: 0...ids.count - room, using: &random)
    }
    return TokenWindows(of: ids, from: starts, length: length, startTokens: startTokens)
  }

  /// The rows of the tensor `tokens`, cut to the length asked for.
  private func readTokens(_ path: String, length: Int?, context: Int) throws -> TokenWindows {
    let all = try TokenWindows(contentsOf: path)
    let count = samples ?? all.count
    guard count <= all.count else {
      throw CalibrationError.tooFewSamples(path: path, found: all.count, asked: count)
    }
    return try all.first(count).shortened(to: length ?? min(all.length, context), source: path)
  }
}

extension TokenWindows {
  /// Throws where an id is no token of a model.
  func requireVocabulary(of model: LanguageModel, source: String) throws(ModelError) {
    let vocabulary = model.configuration.vocabulary
    if let id = ids.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
      throw model.error(of: id, source: source)
    }
  }

  /// The integer tensor `tokens`, [windows, length], of a safetensors file.
  ///
  /// - Throws: ``CalibrationError/notTokens(path:reason:)`` and the errors of reading the file.
  public init(contentsOf path: String) throws {
    let file = try SafetensorsFile(path: path)
    guard let tensor = file["tokens"] else {
      throw CalibrationError.notTokens(
        path: path, reason: "there is no tensor 'tokens' of shape [samples, length]")
    }
    guard tensor.shape.count == 2, tensor.shape[0] > 0, tensor.shape[1] > 0 else {
      throw CalibrationError.notTokens(
        path: path, reason: "tensor 'tokens' is \(tensor.shape), not [samples, length]")
    }
    let ids = try file.integers("tokens").map { id in
      guard let small = Int32(exactly: id) else {
        throw CalibrationError.notTokens(path: path, reason: "tensor 'tokens' holds the id \(id)")
      }
      return small
    }
    self.init(count: tensor.shape[0], length: tensor.shape[1], ids: ids)
  }
}

extension Tokenizer {
  /// The tokenizer beside a checkpoint.
  public init(for checkpoint: Checkpoint) throws {
    guard let path = checkpoint.tokenizerPath else {
      throw ModelError.missingTokenizer(folder: checkpoint.folder)
    }
    do throws(TokenizerError) {
      try self.init(contentsOf: path)
    } catch .unreadable(let error) {
      throw error
    } catch {
      throw ModelError.tokenizer(path: path, error)
    }
  }

  /// The tokens of a whole text file.
  ///
  /// - Throws: `FileError` where it cannot be read, ``TextError`` where it is no plain text in UTF-8.
  public func encode(contentsOf path: String) throws -> [Int32] {
    let file = try MappedFile(path: path)
    try TextError.requireText(file)
    let bytes = file.bytes.withUnsafeBytes { Array($0) }
    if let offset = bytes.span.firstIllFormed {
      throw TextError.notUTF8(path: path, offset: offset, byte: bytes[offset])
    }
    return encode(bytes)
  }
}

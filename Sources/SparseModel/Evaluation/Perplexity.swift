public import SparseCore

/// How well a model predicts a text, by one fixed protocol.
///
/// The text is tokenised as one string and cut into windows that do not overlap; each begins with the
/// tokenizer's start tokens, if it has any; the tail is dropped. The mean negative log-likelihood is taken over tokens 2…length of every
/// window. Other protocols give other numbers, so windows and length belong to the result.
public struct Perplexity: Sendable, Equatable {
  /// exp of the mean negative log-likelihood.
  public let perplexity: Double
  /// The mean negative log-likelihood of a predicted token, in nats.
  public let meanNegativeLogLikelihood: Double
  /// The number of tokens in all windows.
  public let tokens: Int
  /// The number of windows.
  public let windows: Int
  /// The number of tokens in a window; `length − 1` of them are predicted.
  public let length: Int
  /// The tokens that were put at the start of each window; empty for none.
  public let startTokens: [Int32]
  /// In which numbers INT8 weights were multiplied.
  public let activations: ActivationType

  /// The perplexity that follows from the sum of the negative log-likelihoods of all predicted tokens.
  init(ofLosses total: Double, _ windows: TokenWindows, _ activations: ActivationType) {
    meanNegativeLogLikelihood = total / Double(windows.count * (windows.length - 1))
    perplexity = Math.exponential(meanNegativeLogLikelihood)
    tokens = windows.ids.count
    self.windows = windows.count
    length = windows.length
    startTokens = windows.startTokens
    self.activations = activations
  }

  /// The result as the `eval` contract has it.
  public var json: JSON {
    [
      "schema": 1, "perplexity": .number(perplexity), "nll": .number(meanNegativeLogLikelihood),
      "tokens": .integer(tokens), "windows": .integer(windows), "length": .integer(length),
      "activations": .string(activations.rawValue),
      "startTokens": .array(startTokens.map { .integer(Int($0)) }),
    ]
  }

  /// How windows are cut and scored, for reports.
  package var protocolText: String { "\(startText), a window's first token is not predicted" }

  /// How windows are cut, for reports.
  package var startText: String {
    let start =
      startTokens.isEmpty
      ? "no BOS added"
      : "each begins with "
        + (startTokens.count == 1 ? "token" : "tokens")
        + " \(startTokens.map(String.init).joined(separator: ", "))"
    return "no overlap, \(start)"
  }
}

/// In which numbers activations reach the linear layers whose weights are INT8.
public enum ActivationType: String, Sendable, CaseIterable {
  /// As they are; the weights are widened.
  case float32
  /// Rounded to INT8, every token on a scale of its own, and multiplied as integers: W8A8.
  case int8
}

extension LanguageModel {
  /// The perplexity of windows of tokens.
  ///
  /// Runs a group of windows through one block after the other, so every weight is converted once a
  /// group and memory holds one block's weights and the group's hidden states.
  ///
  /// - Parameter activations: INT8 for what a W8A8 model computes: the layers with INT8 weights multiply
  ///   integers, all others run in float32.
  /// - Throws: ``ModelError`` for token ids outside the vocabulary and for windows longer than the
  ///   context, ``EvaluationError`` where there is nothing to predict, no weight for INT8 activations, or
  ///   a config.json that asks for other activations than those, ``PredictionError`` for predictions that are NaN or
  ///   infinite, and what `progress` throws.
  public func perplexity(
    of windows: TokenWindows, activations: ActivationType = .float32,
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> Perplexity {
    try perplexity(
      of: windows, activations: activations, batch: BatchSize(), on: compute, progress: progress)
  }

  /// The same, with as many tokens at a time as `batch` says.
  func perplexity(
    of windows: TokenWindows, activations: ActivationType = .float32, batch: BatchSize,
    on compute: Compute, progress: ProgressHandler
  ) throws -> Perplexity {
    if activations == .int8 && !hasInt8Weights {
      throw EvaluationError.noInt8Weights(model: checkpoint.path)
    }
    try checkActivations(activations)
    try checkPredictable(windows)
    let groups = windows.groups(ofTokens: batch.hiddenTokens(width: configuration.width))
    var total = 0.0
    for group in groups {
      let done = group.lowerBound * (blocks.count + 1)
      func report(_ block: Int) throws {
        try progress(
          RunProgress(
            step: "evaluate", done: done + block * group.count,
            total: windows.count * (blocks.count + 1)))
      }
      let part = TokenWindows(
        count: group.count, length: windows.length, ids: Array(windows[group]))
      let hidden = try hiddenStates(
        of: part, activations, chunkTokens: batch.chunkTokens, on: compute, afterBlock: report)
      let losses = try losses(
        hidden, of: part, firstWindow: group.lowerBound, on: compute)
      for loss in losses { total += loss }
      try report(blocks.count + 1)
    }
    return Perplexity(ofLosses: total, windows, activations)
  }

  /// Throws where there is no token to predict, or a window is longer than the model takes.
  func checkPredictable(_ windows: TokenWindows) throws {
    guard windows.count > 0, windows.length > 1 else {
      throw EvaluationError.nothingToPredict(windows: windows.count, length: windows.length)
    }
    try checkLength(windows.length)
  }

  /// Whether any linear layer of the blocks has an INT8 weight.
  package var hasInt8Weights: Bool {
    blocks.contains { block in
      type(of: block).stages.flatMap(\.linears).contains {
        block.linear($0).stored.type == .int8
      }
    }
  }

  /// The setting of config.json that INT8 activations with a scale for each token do not follow; nil for
  /// none, and for models without INT8 weights.
  package var otherActivations: String? {
    hasInt8Weights ? configuration.otherActivations : nil
  }

  /// The activations that this model is run with where nothing else is asked for.
  package var usualActivations: ActivationType {
    hasInt8Weights && configuration.otherActivations == nil ? .int8 : .float32
  }

  /// Throws for INT8 activations where config.json asks for ones that are rounded in another way.
  func checkActivations(_ activations: ActivationType) throws(EvaluationError) {
    guard activations == .int8, let setting = otherActivations else { return }
    throw .otherActivations(model: checkpoint.path, setting: setting)
  }

  /// The negative log-likelihood of each window's tokens 2…length, window after window.
  ///
  /// - Parameter firstWindow: the number of the first window in its text, for errors.
  /// - Throws: ``PredictionError`` where logits are NaN or infinite.
  func losses(
    _ hidden: [Matrix], of windows: TokenWindows, firstWindow: Int = 0, on compute: Compute
  ) throws(PredictionError) -> [Double] {
    let normed = hidden.map { finish($0, on: compute) }
    var sums = normed.map { LogSumExp(rows: $0.rows) }
    var targets = TargetLogits(windows: windows)
    for slice in vocabularySlices {
      let weight = outputProjection(slice, on: compute)
      var first = 0  // the token of the chunk's first row
      for (chunk, x) in normed.enumerated() {
        let logits = linear(x, weight, on: compute)  // tokens × slice
        sums[chunk].add(logits, on: compute)
        targets.add(logits, of: slice, first: first)
        first += x.rows
      }
    }
    try requireFinite(
      normed, firstNotFinite: sums.map(\.firstNotFinite), length: windows.length,
      firstWindow: firstWindow, on: compute)
    return targets.losses(sums.flatMap(\.values))
  }

  /// Throws where the logits of a token are NaN or infinite.
  ///
  /// - Parameters:
  ///   - states: the last hidden states of whole windows as the output projection reads them, in chunks.
  ///   - rows: the first row of each chunk with such logits; nil where there is none.
  ///   - firstWindow: the number of the first window in its text.
  func requireFinite(
    _ states: [Matrix], firstNotFinite rows: [Int?], length: Int, firstWindow: Int,
    on compute: Compute
  ) throws(PredictionError) {
    var first = 0  // the token of the chunk's first row
    for (state, row) in zip(states, rows) {
      if let row {
        let token = first + row
        throw predictionError(
          state: state.values[row * state.columns..<(row + 1) * state.columns],
          window: firstWindow + token / length, position: token % length, on: compute)
      }
      first += state.rows
    }
  }
}

/// Why a model could not be evaluated.
public enum EvaluationError: Error, Equatable {
  /// There is not one window with a token to predict.
  case nothingToPredict(windows: Int, length: Int)
  /// The text is shorter than one window.
  case tooFewTokens(path: String, found: Int, needed: Int)
  /// INT8 activations were asked for, and no linear layer has an INT8 weight to multiply them by.
  case noInt8Weights(model: String)
  /// INT8 activations were asked for, and config.json asks for activations that are rounded in another way.
  case otherActivations(model: String, setting: String)
}

extension EvaluationError: CustomStringConvertible {
  /// One line with both numbers.
  public var description: String {
    switch self {
    case .nothingToPredict(let windows, let length):
      "there is no token to predict in \(windows.counting("window")) of \(length.counting("token"))"
    case .tooFewTokens(let path, let found, let needed):
      "\(path): the text holds \(found.counting("token")), one window needs \(needed)"
    case .otherActivations(let model, let setting):
      "\(model): config.json says \(setting), and INT8 activations are computed with a scale for each token only"
    case .noInt8Weights(let model):
      "\(model): no linear layer is INT8, so none can take INT8 activations ('sparsify quantize' makes such a model)"
    }
  }
}

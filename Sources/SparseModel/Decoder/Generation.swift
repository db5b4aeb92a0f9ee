public import SparseCore

/// How the next token is chosen.
public struct Sampling: Sendable {
  /// What the logits are divided by; 0 takes the likeliest token.
  public var temperature: Double
  /// The start of the random numbers; sequence `i` has a stream of its own.
  public var seed: UInt64

  /// Sampling from the model's own distribution unless told otherwise.
  public init(temperature: Double = 1, seed: UInt64 = 0) {
    self.temperature = temperature
    self.seed = seed
  }
}

extension LanguageModel {
  /// Continues one sequence token by token.
  ///
  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - count: how many tokens to add at most; generation ends sooner at an end-of-text token.
  ///   - activations: the numbers in which activations reach INT8 weights; layers with other weights run
  ///     in float32.
  ///   - onToken: called with each token as it comes; throw to stop.
  /// - Returns: the new tokens, without the end-of-text token.
  /// - Throws: ``ModelError``, ``EvaluationError``, ``PredictionError`` where logits are NaN or infinite,
  ///   and what `onToken` throws.
  public func generate(
    after prompt: [Int32], count: Int, sampling: Sampling,
    activations: ActivationType = .float32, on compute: Compute = .automatic,
    onToken: (Int32) throws -> Void = { _ in }
  ) throws -> [Int32] {
    precondition(!prompt.isEmpty, "generate: the prompt is empty")
    if activations == .int8 && !hasInt8Weights {
      throw EvaluationError.noInt8Weights(model: checkpoint.path)
    }
    try checkActivations(activations)
    let capacity = prompt.count + count
    try checkLength(capacity)
    try PhysicalMemory.require(
      Double(KeyValueCache.bytesPerSequence(configuration, capacity: capacity)),
      for: "\(capacity) tokens")
    let ends = try configuration.endTokens(of: checkpoint)
    let cache = KeyValueCache(configuration: configuration, sequences: 1, capacity: capacity)
    var randoms = [SplitMix64(seed: sampling.seed, stream: 0)]
    var result: [Int32] = []
    var step = prompt
    while result.count < count {
      let logits = try next(
        after: step, in: cache, on: compute, multiply: activations.multiply)
      let token = logits.tokens(
        temperature: sampling.temperature, using: &randoms, on: compute)[0]
      if ends.contains(token) { break }
      result.append(token)
      try onToken(token)
      step = [token]
    }
    return result
  }

  /// Runs the tokens that follow in every sequence and gives the logits of each sequence's last: `sequences × vocabulary`.
  ///
  /// - Parameters:
  ///   - tokens: the same number for each sequence of the cache, sequence after sequence.
  ///   - releasingWeights: whether the memory of weights is let go as soon as they have been read.
  ///   - multiply: `x Wᵀ`; a product whose rows do not depend on each other gives logits that do not either.
  /// - Throws: ``ModelError``, and ``PredictionError`` where logits are NaN or infinite.
  package func next(
    after tokens: [Int32], in cache: KeyValueCache, releasingWeights: Bool = false,
    on compute: Compute,
    multiply: (Matrix, StoredWeight, Compute) -> Matrix = { linear($0, $1, on: $2) }
  ) throws -> Matrix {
    let added = tokens.count / cache.sequences
    var state = BlockState(
      hidden: try embed(tokens, source: "tokens"), positions: .following(cache))
    for block in blocks {
      block.run(&state, on: compute) { layer, x in multiply(x, layer.stored, compute) }
      if releasingWeights { release(block) }
    }
    cache.advance(by: added)
    let last = (0..<cache.sequences).map { ($0 + 1) * added - 1 }
    let rows = added == 1 ? state.hidden : state.hidden.gather(rows: last)
    let states = finish(rows, on: compute)
    let logits = multiply(states, .whole(outputProjection), compute)
    if let row = logits.firstRowNotFinite(on: compute) {
      throw predictionError(
        state: states.values[row * states.columns..<(row + 1) * states.columns], window: nil,
        position: cache.length - 1, on: compute)
    }
    if releasingWeights { releaseTables() }
    return logits
  }

  private func release(_ block: any DecoderBlock) {
    for name in type(of: block).stages.flatMap(\.linears) {
      checkpoint.release(block.linear(name).name)
    }
  }
}

extension ActivationType {
  /// `x Wᵀ` of a few rows with the weight as it is stored.
  func multiply(_ x: Matrix, _ weight: StoredWeight, on compute: Compute) -> Matrix {
    self == .int8 && weight.type == .int8
      ? int8Linear(x, weight, on: compute) : linear(x, weight, on: compute)
  }
}

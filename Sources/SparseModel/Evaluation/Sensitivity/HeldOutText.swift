internal import SparseCore

/// A text that a model was not calibrated on, and what the dense model says of it: what a changed model is held against.
///
/// Every second token is scored, so that the output projection, which nothing can be reused of, costs half. All
/// positions of a window are among them evenly, and the same ones for every change.
struct HeldOutText {
  let model: LanguageModel
  let windows: TokenWindows
  private let compute: Compute
  private let chunks: [Chunk]
  private var reference: [[Matrix]] = []  // slice of the vocabulary, chunk: scored tokens × slice
  private var losses: [Double] = []  // of the dense model at the scored tokens

  /// The scored tokens of a chunk of windows.
  private struct Chunk {
    let windows: Range<Int>
    let rows: [Int]
    let targets: [Int32]  // the tokens that come next
  }

  /// What a change to the model does.
  struct Change {
    /// The mean of KL(dense ‖ changed) over the scored tokens, in nats.
    let divergence: Double
    /// By how much the mean negative log-likelihood rises, in nats.
    let lossIncrease: Double
  }

  /// A text of equally long windows; nothing is run yet.
  ///
  /// - Throws: ``EvaluationError/nothingToPredict(windows:length:)``.
  init(_ windows: TokenWindows, model: LanguageModel, on compute: Compute) throws(EvaluationError) {
    guard windows.count > 0, windows.length > 1 else {
      throw EvaluationError.nothingToPredict(windows: windows.count, length: windows.length)
    }
    self.model = model
    self.windows = windows
    self.compute = compute
    chunks = windows.groups(ofTokens: BatchSize().chunkTokens).map { group in
      let ids = Array(windows[group])
      let rows = ids.indices.filter {
        let place = $0 % windows.length
        return place % 2 == 0 && place + 1 < windows.length
      }
      return Chunk(windows: group, rows: rows, targets: rows.map { ids[$0 + 1] })
    }
  }

  /// Runs the dense model over the text and keeps what it predicts for the scored tokens.
  ///
  /// - Returns: the dense model's perplexity over all tokens, as `eval` measures it.
  /// - Throws: ``ModelError``, `MemoryError` where the predictions do not fit, and what `progress` throws.
  mutating func predict(progress: ProgressHandler) throws -> Perplexity {
    try PhysicalMemory.require(
      4 * Double(windows.ids.count) / 2 * Double(model.configuration.vocabulary),
      for:
        "the logits of \(windows.count.counting("window")) of \(windows.length.counting("token"))")
    let hidden = try model.hiddenStates(
      of: windows, .float32, chunkTokens: BatchSize().chunkTokens, on: compute
    ) { block in
      try progress(
        RunProgress(step: "run the dense model", done: block, total: model.blocks.count + 1))
    }
    let scored = scoredRows(of: hidden)
    reference = model.vocabularySlices.map { slice in
      let weight = model.outputProjection(slice, on: compute)
      return scored.map { linear($0, weight, on: compute) }
    }
    var normalisers = scored.map { LogSumExp(rows: $0.rows) }
    for logits in reference {
      for chunk in scored.indices { normalisers[chunk].add(logits[chunk], on: compute) }
    }
    try requireFinite(scored, normalisers.map(\.firstNotFinite))
    losses = zip(normalisers.flatMap(\.values), targetLogits(reference)).map { $0 - $1 }
    let total = try model.losses(hidden, of: windows, on: compute).reduce(0, +)
    return Perplexity(ofLosses: total, windows, .float32)
  }

  /// The embeddings of the text, in chunks.
  func embeddings() throws -> [Matrix] {
    try chunks.map { try model.embed(windows[$0.windows], source: "the text") }
  }

  /// How far the model is from the dense one whose residual stream after the last block is `hidden`.
  ///
  /// - Throws: ``PredictionError`` where the changed model's predictions are NaN or infinite.
  func change(of hidden: [Matrix]) throws(PredictionError) -> Change {
    let scored = scoredRows(of: hidden)
    var comparisons = scored.map { LogitComparison(rows: $0.rows) }
    var targets: [[Double]] = chunks.map { [Double](repeating: 0, count: $0.rows.count) }
    for (slice, range) in model.vocabularySlices.enumerated() {
      let weight = model.outputProjection(range, on: compute)
      for chunk in chunks.indices {
        let logits = linear(scored[chunk], weight, on: compute)
        comparisons[chunk].add(reference[slice][chunk], logits, on: compute)
        read(logits, of: chunk, range, into: &targets[chunk])
      }
    }
    try requireFinite(scored, comparisons.map(\.firstNotFinite.other))
    let divergences = comparisons.flatMap(\.divergences)
    let increases = zip(zip(comparisons.flatMap(\.otherNormalisers), targets.joined()), losses).map
    {
      $0.0 - $0.1 - $1
    }
    let count = Double(losses.count)
    return Change(
      divergence: divergences.reduce(0, +) / count, lossIncrease: increases.reduce(0, +) / count)
  }

  /// Throws where the predictions for a scored token are NaN or infinite.
  private func requireFinite(_ states: [Matrix], _ rows: [Int?]) throws(PredictionError) {
    for (chunk, row) in rows.enumerated() {
      guard let row else { continue }
      let (state, token) = (states[chunk], chunks[chunk].rows[row])
      throw model.predictionError(
        state: state.values[row * state.columns..<(row + 1) * state.columns],
        window: chunks[chunk].windows.lowerBound + token / windows.length,
        position: token % windows.length, on: compute)
    }
  }

  /// The normed hidden states of the scored tokens.
  private func scoredRows(of hidden: [Matrix]) -> [Matrix] {
    zip(hidden, chunks).map { model.finish($0.gather(rows: $1.rows), on: compute) }
  }

  private func targetLogits(_ logits: [[Matrix]]) -> [Double] {
    var targets: [[Double]] = chunks.map { [Double](repeating: 0, count: $0.rows.count) }
    for (slice, range) in model.vocabularySlices.enumerated() {
      for chunk in chunks.indices {
        read(logits[slice][chunk], of: chunk, range, into: &targets[chunk])
      }
    }
    return Array(targets.joined())
  }

  /// Reads the logits of the tokens that come next, where they are in a slice of the vocabulary.
  private func read(
    _ logits: Matrix, of chunk: Int, _ slice: Range<Int>, into targets: inout [Double]
  ) {
    for (row, target) in chunks[chunk].targets.enumerated() where slice.contains(Int(target)) {
      targets[row] = Double(logits[row, Int(target) - slice.lowerBound])
    }
  }
}

internal import SparseCore

/// One of two models that are compared, and where its last hidden states come from.
struct ComparedModel {
  let model: LanguageModel
  /// The numbers in which activations reach INT8 weights.
  let activations: ActivationType
  /// How many blocks are run for the states; 0 where they are kept from before.
  let blocks: Int
  /// The last hidden states of neighbouring windows, in chunks of whole windows.
  let states:
    (_ group: Range<Int>, _ windows: TokenWindows, _ afterBlock: (Int) throws -> Void)
      throws -> [Matrix]

  /// A model that is run.
  init(
    running model: LanguageModel, _ activations: ActivationType, chunkTokens: Int,
    on compute: Compute
  ) {
    let activations = model.hasInt8Weights ? activations : .float32
    self.init(model: model, activations: activations, blocks: model.blocks.count) {
      _, windows, afterBlock in
      try model.hiddenStates(
        of: windows, activations, chunkTokens: chunkTokens, on: compute, afterBlock: afterBlock)
    }
  }

  init(
    model: LanguageModel, activations: ActivationType, blocks: Int,
    states: @escaping (Range<Int>, TokenWindows, (Int) throws -> Void) throws -> [Matrix]
  ) {
    self.model = model
    self.activations = activations
    self.blocks = blocks
    self.states = states
  }
}

/// Two models' way through the same windows, group by group.
struct ComparisonWalk {
  let reference: ComparedModel
  let other: ComparedModel
  let windows: TokenWindows
  let batch: BatchSize
  let compute: Compute

  /// What has been found out so far.
  private struct Tally {
    var losses = (reference: 0.0, other: 0.0)
    var rates = (reference: [Double](), other: [Double]())  // tokens a second of each group
    var divergences: [Double] = []
    var agreements = 0
  }

  /// Runs the models, or reads what is kept of them, and compares all predictions.
  func run(progress: ProgressHandler) throws -> ModelComparison {
    let (a, b) = (reference.model.configuration, other.model.configuration)
    guard a.vocabulary == b.vocabulary else {
      throw ComparisonError.vocabularies(
        reference.model.checkpoint.path, a.vocabulary, other.model.checkpoint.path, b.vocabulary)
    }
    try reference.model.checkPredictable(windows)
    try other.model.checkPredictable(windows)
    var tally = Tally()
    let steps = reference.blocks + other.blocks + 1
    // No more than two chunks at once, and no more than a seventh of the text, so that there are several groups to
    // compare the speeds of.
    let share = (windows.count + 6) / 7 * windows.length
    let tokens = min(
      batch.hiddenTokens(width: a.width + b.width), 2 * batch.chunkTokens, share)
    for (number, group) in windows.groups(ofTokens: tokens).enumerated() {
      func report(_ step: Int) throws {
        try progress(
          RunProgress(
            step: "compare", done: group.lowerBound * steps + step * group.count,
            total: windows.count * steps))
      }
      try compare(group, isReversed: number % 2 == 1, &tally, report: report)
      try report(steps)
    }
    return ModelComparison(
      reference: Perplexity(ofLosses: tally.losses.reference, windows, reference.activations),
      other: Perplexity(ofLosses: tally.losses.other, windows, other.activations),
      divergence: Divergence(tally.divergences),
      agreement: Double(tally.agreements) / Double(tally.divergences.count),
      referenceRate: MeasuredRate(rounds: tally.rates.reference),
      otherRate: MeasuredRate(rounds: tally.rates.other))
  }

  /// Compares the predictions of neighbouring windows.
  ///
  /// - Parameter isReversed: whether the other model runs first: the models take turns at that, too.
  private func compare(
    _ group: Range<Int>, isReversed: Bool, _ tally: inout Tally, report: (Int) throws -> Void
  ) throws {
    let part = TokenWindows(
      count: group.count, length: windows.length, ids: Array(windows[group]))
    var seconds = (reference: 0.0, other: 0.0)
    func states(
      _ compared: ComparedModel, _ seconds: inout Double, after steps: Int
    ) throws -> [Matrix] {
      try timed(&seconds) {
        try compared.states(group, part) { try report(steps + $0) }
          .map { compared.model.finish($0, on: compute) }
      }
    }
    let a: [Matrix]
    let b: [Matrix]
    if isReversed {
      b = try states(other, &seconds.other, after: 0)
      a = try states(reference, &seconds.reference, after: other.blocks)
    } else {
      a = try states(reference, &seconds.reference, after: 0)
      b = try states(other, &seconds.other, after: reference.blocks)
    }
    var comparisons = a.map { LogitComparison(rows: $0.rows) }
    var targets = (reference: TargetLogits(windows: part), other: TargetLogits(windows: part))
    for slice in reference.model.vocabularySlices {
      let weightA = timed(&seconds.reference) {
        reference.model.outputProjection(slice, on: compute)
      }
      let weightB = timed(&seconds.other) {
        other.model.outputProjection(slice, on: compute)
      }
      var first = 0  // the token of the chunk's first row
      for chunk in a.indices {
        let logitsA = timed(&seconds.reference) { linear(a[chunk], weightA, on: compute) }
        let logitsB = timed(&seconds.other) { linear(b[chunk], weightB, on: compute) }
        comparisons[chunk].add(logitsA, logitsB, on: compute)
        targets.reference.add(logitsA, of: slice, first: first)
        targets.other.add(logitsB, of: slice, first: first)
        first += a[chunk].rows
      }
    }
    let bad = comparisons.map(\.firstNotFinite)
    try reference.model.requireFinite(
      a, firstNotFinite: bad.map(\.reference), length: windows.length,
      firstWindow: group.lowerBound, on: compute)
    try other.model.requireFinite(
      b, firstNotFinite: bad.map(\.other), length: windows.length,
      firstWindow: group.lowerBound, on: compute)
    tally.rates.reference.append(Double(part.ids.count) / max(seconds.reference, 1e-9))
    tally.rates.other.append(Double(part.ids.count) / max(seconds.other, 1e-9))
    // One after the other and in order, as the perplexity of a model alone is summed up.
    for loss in targets.reference.losses(comparisons.flatMap(\.referenceNormalisers)) {
      tally.losses.reference += loss
    }
    for loss in targets.other.losses(comparisons.flatMap(\.otherNormalisers)) {
      tally.losses.other += loss
    }
    tally.divergences += targets.reference.predicting(comparisons.flatMap(\.divergences))
    tally.agreements += targets.reference.predicting(comparisons.flatMap(\.agreements))
      .count { $0 }
  }

  private func timed<Result>(
    _ seconds: inout Double, _ body: () throws -> Result
  ) rethrows -> Result {
    let clock = ContinuousClock()
    let start = clock.now
    defer { seconds += (clock.now - start).seconds }
    return try body()
  }
}

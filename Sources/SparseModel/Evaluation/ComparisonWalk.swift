internal import SparseCore

/// One of two models that are compared, and where its last hidden states come from.
struct ComparedModel {
  let model: Decoder
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
    running model: Decoder, _ activations: ActivationType, chunkTokens: Int, on compute: Compute
  ) {
    let activations = model.hasInt8Weights ? activations : .float32
    self.init(model: model, activations: activations, blocks: model.blocks.count) {
      _, windows, afterBlock in
      try model.hiddenStates(
        of: windows, activations, chunkTokens: chunkTokens, on: compute, afterBlock: afterBlock)
    }
  }

  init(
    model: Decoder, activations: ActivationType, blocks: Int,
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
    // No more than two chunks at once, so that there are several groups to take the median speed of.
    let tokens = min(batch.hiddenTokens(width: a.width + b.width), 2 * batch.chunkTokens)
    for group in windows.groups(ofTokens: tokens) {
      func report(_ step: Int) throws {
        try progress(
          Progress(
            step: "compare", done: group.lowerBound * steps + step * group.count,
            total: windows.count * steps))
      }
      try compare(group, &tally, report: report)
      try report(steps)
    }
    return ModelComparison(
      reference: Perplexity(ofLosses: tally.losses.reference, windows, reference.activations),
      other: Perplexity(ofLosses: tally.losses.other, windows, other.activations),
      divergence: Divergence(tally.divergences),
      agreement: Double(tally.agreements) / Double(tally.divergences.count),
      referenceRate: median(tally.rates.reference), otherRate: median(tally.rates.other))
  }

  /// Compares the predictions of neighbouring windows.
  private func compare(
    _ group: Range<Int>, _ tally: inout Tally, report: (Int) throws -> Void
  ) throws {
    let part = TokenWindows(
      count: group.count, length: windows.length, ids: Array(windows[group]))
    var seconds = (reference: 0.0, other: 0.0)
    let a = try timed(&seconds.reference) {
      try reference.states(group, part, report).map { reference.model.finish($0, on: compute) }
    }
    let b = try timed(&seconds.other) {
      try other.states(group, part) { try report(reference.blocks + $0) }
        .map { other.model.finish($0, on: compute) }
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

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private func timed<Result>(
    _ seconds: inout Double, _ body: () throws -> Result
  ) rethrows -> Result {
    let clock = ContinuousClock()
    let start = clock.now
    defer { seconds += (clock.now - start).seconds }
    return try body()
  }
}

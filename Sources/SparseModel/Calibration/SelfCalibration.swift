internal import SparseCore

extension CalibrationOptions {
  /// The calibration tokens that the model writes itself.
  func written(
    by model: LanguageModel, _ memory: TextMemory, on compute: Compute, progress: ProgressHandler
  ) throws -> TokenWindows {
    try model.writeText(
      samples: samples ?? Self.defaultSamples,
      length: length(context: model.configuration.contextLength), seed: seed,
      memory: memory, on: compute, progress: progress)
  }
}

extension LanguageModel {
  /// Text that the model writes by itself: plain sampling of its own distribution, many sequences at once.
  ///
  /// Every sequence starts from the beginning-of-text token, or from a token drawn uniformly where
  /// the model has none, and is sampled at temperature 1 (Williams et al. 2024, arXiv 2410.17170).
  /// An end-of-text token is kept and written past, as in a stream of documents. Sequence `i` has a
  /// stream of random numbers of its own, so the text does not depend on how many are written together.
  ///
  /// - Parameters:
  ///   - first: the number of the first sequence.
  ///   - memory: what the keys and values of the sequences written together may take: many sequences share
  ///     each weight that is read; and whether weights are let go after every use.
  /// - Throws: ``ModelError``, ``PredictionError`` where logits are NaN or infinite, and what `progress` throws.
  func writeText(
    from first: Int = 0, samples: Int, length: Int, seed: UInt64,
    memory: TextMemory = TextMemory(), on compute: Compute, progress: ProgressHandler
  ) throws -> TokenWindows {
    let bytes = KeyValueCache.bytesPerSequence(configuration, capacity: length)
    let together = max(1, min(samples, memory.cacheBytes / bytes))
    var ids: [Int32] = []
    ids.reserveCapacity(samples * length)
    for done in stride(from: 0, to: samples, by: together) {
      let sequences = first + done..<first + min(done + together, samples)
      ids += try writeTogether(
        sequences, length: length, seed: seed, memory, on: compute
      ) { written in
        try progress(
          RunProgress(
            step: "write calibration text",
            done: done * length + written * sequences.count, total: samples * length))
      }
    }
    return TokenWindows(count: samples, length: length, ids: ids)
  }

  private func writeTogether(
    _ sequences: Range<Int>, length: Int, seed: UInt64, _ memory: TextMemory,
    on compute: Compute, written: (Int) throws -> Void
  ) throws -> [Int32] {
    let start = try configuration.startToken(of: checkpoint)
    var randoms = sequences.map { SplitMix64(seed: seed, stream: UInt64($0)) }
    let cache = KeyValueCache(
      configuration: configuration, sequences: sequences.count, capacity: length)
    var step = randoms.indices.map { index in
      start
        ?? Int32.random(in: 0..<Int32(configuration.vocabulary), using: &randoms[index])
    }
    var columns = [step]  // one array of tokens for each position
    for position in 1..<max(length, 1) {
      let logits = try next(
        after: step, in: cache, releasingWeights: memory.releasesWeights, on: compute,
        multiply: linearAsPacked)
      step = logits.tokens(using: &randoms, on: compute)
      columns.append(step)
      try written(position)
    }
    return sequences.indices.flatMap { sequence in
      columns.map { $0[sequence - sequences.lowerBound] }
    }
  }
}

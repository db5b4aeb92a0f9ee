internal import SparseCore
internal import SparseModel

/// The options of `prune` that leave some layers dense, by what sparsity would cost them.
enum LayerChoice {
  static let keepDense = Parameter(
    option: "keep-dense", "which", .denseChoice, note: "none",
    "Leave the most sensitive layers dense: so many of them ('12'), a share of the weights ('10%' or '0.1'), or all with "
      + "more sensitivity than a number ('above:0.01').")

  static let targetSpeedup = Parameter(
    option: "target-speedup", "factor", .positiveNumber, note: "none",
    "Prune only as much as makes the model so many times as fast as dense fp16 on the GPU, by the model of 'sparsify plan'; "
      + "layers that cost little for the time they save come first.")

  static let targetPerplexity = Parameter(
    option: "target-perplexity", "x", .positiveNumber, note: "none",
    "Prune as much as keeps the perplexity on --text at x or below. Where it is above after pruning, less is pruned, up to "
      + "\(TargetedPruning.attempts) times.")

  static let sensitivity = Parameter(
    option: "sensitivity", "file", .path, note: "measured on the way",
    "What 'sparsify sensitivity' has found, to choose layers by.")

  static let gpu = Parameter(
    option: "gpu", "name", .gpu, note: "time in proportion to the bytes of weights",
    "The GPU whose time counts.")

  static let batch = Parameter(
    option: "batch", "n", .integer(in: 1...1 << 20), note: "1",
    "The number of sequences that it decodes at once.")

  static let parameters: [any ParameterDeclaration] = [
    keepDense, targetSpeedup, targetPerplexity, sensitivity, gpu, batch,
  ]

  static let exclusive = [
    ["keep-dense", "target-speedup", "target-perplexity", "refit"],
    ["target-perplexity", "dry-run"], ["target-perplexity", "statistics"],
    ["target-perplexity", "blocks", "tensors"],
  ]

  static let requires = ["batch": "gpu", "target-perplexity": "text"]

  /// The names of the weights that stay dense; none where nothing asks for any.
  static func keptDense(
    _ arguments: Arguments, _ options: PruneOptions, in context: Context
  ) throws -> [String] {
    let (choice, speedup) = (arguments[keepDense], arguments[targetSpeedup])
    guard choice != nil || speedup != nil else {
      if arguments[targetPerplexity] != nil { return [] }
      for spec in [sensitivity.spec, gpu.spec] where arguments.isGiven(spec.name) {
        throw UsageError.noEffect(spec, reason: "no option asks for dense layers")
      }
      return []
    }
    let runsNoModel =
      arguments[PruneCommand.statistics] != nil || arguments.isGiven(PruneCommand.blocks.spec.name)
      || arguments.isGiven(PruneCommand.tensors.spec.name)
    if runsNoModel && arguments[sensitivity] == nil {
      throw UsageError.missingFor(
        sensitivity.spec, reason: "it cannot be measured where the model is not run")
    }
    let path = arguments[Common.model]
    let checkpoint = try Checkpoint(path: path)
    let targets = try options.weights(of: checkpoint)
    let ranking = try ranking(arguments, options, isFast: true, in: context)
    if let choice { return try choice.weights(ranking, of: targets, in: path) }
    return try SparsityTarget.speedup(speedup ?? 1).denseWeights(
      ranking, times(arguments, options, of: checkpoint), of: targets, in: path)
  }

  /// Prunes towards a perplexity; nil where none is asked for.
  static func targetedPruning(
    _ arguments: Arguments, _ options: PruneOptions, _ measure: PerplexityMeasure?,
    in context: Context
  ) throws -> (pruning: TargetedPruning, bound: Double)? {
    guard let bound = arguments[targetPerplexity], let measure else { return nil }
    let path = arguments[Common.model]
    let ranking = try ranking(arguments, options, isFast: false, in: context)
    let times = try times(arguments, options, of: Checkpoint(path: path))
    let pruning = try TargetedPruning(
      path, options, ranking, times, measure: measure, atMost: bound)
    return (pruning, bound)
  }

  /// What each layer would cost: read from a file, or measured now, by the errors of blocks if that is enough.
  private static func ranking(
    _ arguments: Arguments, _ options: PruneOptions, isFast: Bool, in context: Context
  ) throws -> SensitivityRanking {
    if let file = arguments[sensitivity] {
      let ranking = try SensitivityRanking(contentsOf: file)
      try ranking.check(isOf: Checkpoint(path: arguments[Common.model]))
      return ranking
    }
    // What is wrong with the run itself is found before the measurement.
    _ = try PruneRun(arguments[Common.model], options)
    // Errors differ little from text to text: the calibration's own will do. Losses are those of the text that counts.
    let text =
      isFast
      ? options.calibration.map {
        CalibrationOptions(source: $0.source, length: $0.length, start: $0.start)
      }
      : arguments[PruneCommand.text].map {
        CalibrationOptions(source: .text(path: $0), start: arguments[Common.startToken])
      }
    let run = try SensitivityRun(
      arguments[Common.model],
      SensitivityOptions(
        pruning: options, isFast: isFast, heldOut: text ?? CalibrationOptions()))
    return SensitivityRanking(try run.run(on: context.compute, progress: context.progress))
  }

  /// The time that each layer takes, on the GPU if one is named.
  private static func times(
    _ arguments: Arguments, _ options: PruneOptions, of checkpoint: Checkpoint
  ) throws -> LinearTimes {
    let isQuantized = options.quantization != nil
    guard let gpu = arguments[gpu] else {
      return try LinearTimes(bytesOf: checkpoint, isQuantized: isQuantized)
    }
    return try LinearTimes(
      checkpoint, gpu: gpu, batch: arguments[batch] ?? 1, isQuantized: isQuantized)
  }
}

extension ValueType where Value == DenseChoice {
  /// `12`, `10%`, `0.1` or `above:0.01`.
  static var denseChoice: Self {
    Self { text throws(ValueError) in
      if let count = Int(text), count > 0 { return .count(count) }
      if text.hasPrefix("above:"), let limit = Double(text.dropFirst(6)), limit.isFinite,
        limit >= 0
      {
        return .above(limit)
      }
      let isPercent = text.hasSuffix("%")
      if let value = Double(isPercent ? text.dropLast() : text[...]),
        case let share = isPercent ? value / 100 : value, share > 0, share < 1
      {
        return .share(share)
      }
      throw ValueError(
        "must be a number of layers such as '12', a share of the weights such as '10%', or 'above:' and a sensitivity"
      )
    }
  }
}

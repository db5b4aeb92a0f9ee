public import SparseCore

/// A model pruned and quantized in several ways, and each result measured against the dense model.
///
/// Every row is what `sparsify prune` or `sparsify quantize` makes with the same options, to the byte; the methods
/// share one calibration. A pruned model is measured in the form that `sparsify compress` gives it.
///
/// ```swift
/// let report = try SweepRun("model", SweepOptions(methods: [.wanda, .admm]), text: windows).run()
/// for row in report.rows { print(row.variant.name, row.comparison.divergence.mean, row.bytes) }
/// ```
public struct SweepRun: Sendable {
  /// The input.
  public let checkpoint: Checkpoint
  /// What is to be done.
  public let options: SweepOptions
  /// The folder in which the models are made.
  public let folderPath: String
  let path: String
  let text: TokenWindows
  let model: LanguageModel

  /// Opens a model and checks all that can be checked before the work.
  ///
  /// - Parameters:
  ///   - path: a folder with a model, or the index in it.
  ///   - text: what the rows are judged by.
  /// - Throws: ``SweepError/notFolder(path:)``, the errors of opening the model, ``EvaluationError``, and those of
  ///   ``PruneRun`` for weights that cannot be pruned or quantized.
  public init(_ path: String, _ options: SweepOptions, text: TokenWindows) throws {
    self.path = path
    self.options = options
    self.text = text
    checkpoint = try Checkpoint(path: path)
    guard checkpoint.isFolder else { throw SweepError.notFolder(path: path) }
    try checkpoint.requireWhole()
    let context = try ModelConfiguration(checkpoint).contextLength
    let lengths = [text.length, options.usedCalibration?.length(context: context) ?? 0]
    model = try LanguageModel(checkpoint, positions: lengths.max())
    try model.checkPredictable(text)
    _ = try PruneOptions().targets(in: checkpoint, runsModel: true, dense: nil)
    folderPath = try CheckpointOutput.path(options.output, for: checkpoint, suffix: "sweep")
  }

  /// The bytes of disk that the sweep takes at most at once: two forms of a model, all models where they are
  /// kept, and the hidden states that wait there.
  public var diskBytes: Int {
    let (samples, length) = calibrationSize ?? (0, 0)
    let models = 2 + (options.keepsModels ? max(0, options.variants.count - 2) : 0)
    return models * checkpoint.byteCount
      + HiddenStates.byteCount(tokens: samples * length, width: model.configuration.width)
      + ReferenceStates.byteCount(tokens: text.ids.count, model.configuration)
  }

  /// The files that are read: weights, their index, config.json, tokenizer.json, calibration tokens.
  package var inputFiles: [String] {
    checkpoint.files.map(\.path)
      + [
        checkpoint.path, checkpoint.configPath, checkpoint.tokenizerPath,
        options.usedCalibration?.source.path,
      ].compactMap(\.self)
  }

  /// The size of the calibration as far as it is known before it is read.
  var calibrationSize: (samples: Int, length: Int)? {
    options.usedCalibration.map {
      (
        $0.samples ?? CalibrationOptions.defaultSamples,
        $0.length(context: model.configuration.contextLength)
      )
    }
  }

  /// Makes and measures every row.
  ///
  /// Whatever goes wrong, nothing is left but the finished models of a sweep that keeps them.
  ///
  /// - Throws: ``SweepError``, the errors of calibrating, ``FailedSweepRow`` for a row that fails, also by what
  ///   `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> SweepReport {
    let clock = ContinuousClock()
    let start = clock.now
    let folder = try SweepFolder(folderPath, for: options.variants)
    for variant in options.variants {
      _ = try CheckpointOutput(folder.place(variant), for: checkpoint)
    }
    if let free = FileSystem.freeBytes(in: folder.path), free < diskBytes {
      throw SweepError.diskTooSmall(folder: folder.path, needed: diskBytes, free: free)
    }
    let tokens = try options.usedCalibration.map {
      try $0.readTokens(for: model)
        ?? $0.written(by: model, TextMemory(), on: compute, progress: progress)
    }
    let calibrationSeconds = (clock.now - start).seconds
    let reference = try ReferenceStates(
      of: model, over: text, beside: folder.workPlace(options.variants[0]), on: compute,
      progress: progress)
    let rows = try options.variants.enumerated().map { number, variant in
      do {
        return try SweepWork(
          path: path, options: options, folder: folder, reference: reference, model: model,
          tokens: tokens, ids: Array(text[0]), compute: compute
        ).row(variant) { step in
          try progress(
            RunProgress(
              step: "\(variant.name), \(number + 1) of \(options.variants.count): \(step.step)",
              done: step.done, total: step.total))
        }
      } catch {
        try folder.remove(variant)
        let cause = (error as? UnfinishedRun)?.error ?? error
        throw FailedSweepRow(variant: variant, error: cause)
      }
    }
    return SweepReport(
      model: path, rows: rows,
      calibration: tokens.map { tokens in
        SweepReport.Calibration(
          source: options.usedCalibration?.source.name ?? "", samples: tokens.count,
          length: tokens.length, seed: options.usedCalibration?.seed ?? 0,
          seconds: calibrationSeconds)
      },
      seconds: (clock.now - start).seconds, peakResidentBytes: ProcessUsage.peakResidentBytes)
  }
}

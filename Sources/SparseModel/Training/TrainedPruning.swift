public import SparseCore

/// A dense model on its way to a trained 2:4 one: pruned, its kept weights trained with the masks held, and where INT8
/// is asked for, rounded jointly on the trained masks.
///
/// What is trained is the whole model, or its blocks alone (``PruneOptions/reconstruction``), or one after the other.
///
/// ```swift
/// let pruning = try TrainedPruning("model", PruneOptions(output: "model-2of4"), FinetuneOptions())
/// let report = try pruning.run()
/// ```
///
/// Each of these is a run of its own. What the earlier ones give waits in the folder `NAME.steps.partial` beside the output.
public struct TrainedPruning: Sendable {
  /// The model.
  public let checkpoint: Checkpoint
  /// How it is pruned; ``PruneOptions/quantization`` is what follows the training.
  public let options: PruneOptions
  /// How the kept weights of the whole model are trained; nil where they are not.
  ///
  /// The dense model and the output follow from the pruning.
  public let training: FinetuneOptions?
  /// Where the output goes: found free, and fit for the input.
  public let output: CheckpointOutput

  /// The names of the checkpoints that the last step does not write.
  static let steps = ["pruned", "trained"]

  /// Checks what can be checked before the work.
  ///
  /// - Throws: what stands against the first run, and what makes the text no use.
  public init(_ path: String, _ options: PruneOptions, _ training: FinetuneOptions?) throws {
    self.options = options
    self.training = training
    checkpoint = try Checkpoint(path: path)
    output = try CheckpointOutput(
      options.output, for: checkpoint, force: options.force, shardSize: options.shardSize)
    guard checkpoint.isFolder else { throw TrainingError.needsFolder(path: checkpoint.path) }
    try checkpoint.requireFloatingPoint()
    if options.quantization != nil && !options.keptDense.isEmpty {
      throw TrainingError.keepsDenseInt8
    }
    guard let training else { return }
    try training.data.source.path.map(output.spare)
    let model = try Decoder(checkpoint)
    try training.checkText(of: model)
    _ = try WeightSelection(skip: training.frozen).apply(to: model.trainedTensors(but: []))
  }

  /// The files that are read.
  package var inputFiles: [String] {
    checkpoint.files.map(\.path)
      + [options.calibration?.source.path, training?.data.source.path].compactMap(\.self)
  }

  /// Prunes, trains and rounds; with ``PruneOptions/resumes``, goes on where an earlier run has stopped.
  ///
  /// - Returns: the report of the pruning, with that of the training.
  /// - Throws: the errors of the runs; an ``UnfinishedRun`` where finished work is kept.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    if training == nil && options.quantization == nil {
      return try PruneRun(checkpoint.path, options).run(on: compute, progress: progress)
    }
    let clock = ContinuousClock()
    let start = clock.now
    let folder = try RunFolder(
      forOutput: output.path + ".steps", force: options.force, resumes: options.resumes)
    do {
      let pruned = try prune(in: folder, on: compute, progress: progress)
      var report = pruned
      report.training = try train(in: folder, on: compute, progress: progress)
      if options.quantization != nil {
        report.sizes = try round(in: folder, on: compute, progress: progress).sizes
      }
      report.output = output.path
      report.seconds = (clock.now - start).seconds
      report.peakResidentBytes = ProcessUsage.peakResidentBytes
      try folder.remove()
      return report
    } catch {
      throw folder.failure(error)
    }
  }

  private func place(_ step: String, in folder: RunFolder) -> String {
    Path.join(folder.path, step)
  }

  /// Prunes, unless an earlier run has.
  private func prune(
    in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> PruneReport {
    var options = options
    options.quantization = nil
    options.output = place("pruned", in: folder)
    // What is there, if anything, was made here by a run with the same options, or not finished.
    options.force = true
    options.resumes = true
    let run = try PruneRun(checkpoint.path, options)
    var identity = try run.identity(
      CheckpointFingerprint(of: checkpoint), on: compute, progress: progress)
    if let training {
      identity.add(training)
      identity.add("--data", training.data.source.name)
    }
    identity.add("--quantize", self.options.quantization.map { _ in "int8" })
    try folder.begin(identity)
    if let finished = folder.step("pruned") {
      let manifest = try Checkpoint(path: place("pruned", in: folder)).manifest()
      var report = PruneReport(
        method: options.methodName, output: output.path, seconds: 0, peakResidentBytes: 0,
        calibration: manifest?.calibration.map { ($0, errorTokens: $0.samples * $0.length) },
        layers: finished.layers, options: options, inputFingerprint: manifest?.inputFingerprint,
        sizes: nil)
      report.blocks = finished.blocks
      return report
    }
    let report = try run.run(on: compute, progress: progress)
    var finished = FinishedStep("pruned")
    (finished.layers, finished.blocks) = (report.layers, report.blocks)
    try folder.append(.step(finished))
    return report
  }

  /// Trains the whole model, unless an earlier run has, or it is not to be trained.
  private func train(
    in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> FinetuneReport? {
    guard var training else { return nil }
    if let finished = folder.step("trained") { return finished.training }
    training.dense = checkpoint.path
    let isLast = options.quantization == nil
    training.output = isLast ? output.path : place("trained", in: folder)
    training.force = isLast ? options.force : true
    training.resumes = isLast ? options.resumes : true
    training.shardSize = isLast ? options.shardSize : nil
    let report = try FinetuneRun(place("pruned", in: folder), training)
      .run(on: compute, progress: progress)
    var finished = FinishedStep("trained")
    finished.training = report
    try folder.append(.step(finished))
    return report
  }

  /// Makes the trained weights INT8 with their masks held: a refit against themselves, rounded.
  private func round(
    in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> PruneReport {
    let trained = place(training == nil ? "pruned" : "trained", in: folder)
    let rounding = PruneOptions(
      effort: options.effort, quantization: options.quantization, dense: trained,
      calibration: options.calibration, output: output.path, force: options.force,
      shardSize: options.shardSize, resumes: options.resumes, memory: options.memory)
    return try PruneRun(trained, rounding).run(on: compute, progress: progress)
  }
}

extension FinetuneOptions {
  /// Throws where the text is no use to a model, or too short.
  func checkText(of model: Decoder) throws {
    var data = data
    if data.length == nil, data.source != .selfWritten, case .text = data.source {
      data.length = min(Self.defaultLength, model.configuration.contextLength)
    }
    try requireWindows(data.readAll(for: model)?.count ?? writtenWindows)
  }
}

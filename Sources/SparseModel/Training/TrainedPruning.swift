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
/// Each of these is a run of its own in the folder `NAME.steps.partial` beside the output, which gets its name at the end.
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

  /// The names of the steps and of the checkpoints that they write, in their order.
  static let steps = [pruned, trained, rounded]
  private static let pruned = "pruned"
  private static let trained = "trained"
  private static let rounded = "rounded"

  /// The step that writes the output.
  private let last: String
  /// A fingerprint of the text that is trained on; nil where the model writes it.
  private let text: String?

  /// Checks what can be checked before the work.
  ///
  /// - Throws: what stands against the first run, and what makes the text no use.
  public init(_ path: String, _ options: PruneOptions, _ training: FinetuneOptions?) throws {
    self.options = options
    self.training = training
    checkpoint = try Checkpoint(path: path)
    last =
      options.quantization != nil ? Self.rounded : training != nil ? Self.trained : Self.pruned
    // An output that is complete but for the end of its run is no obstacle to that end.
    let place = try CheckpointOutput.path(options.output, for: checkpoint)
    let isDone =
      try options.resumes && RunFolder.isDone(place, forOutput: Self.stepsPath(place), work: last)
    output = try CheckpointOutput(
      options.output, for: checkpoint, force: options.force || isDone,
      shardSize: options.shardSize)
    guard checkpoint.isFolder else { throw TrainingError.needsFolder(path: checkpoint.path) }
    try checkpoint.requireFloatingPoint()
    if options.quantization != nil && !options.keptDense.isEmpty {
      throw TrainingError.keepsDenseInt8
    }
    try options.calibration?.source.path.map(output.spare)
    guard let training else {
      text = nil
      return
    }
    try training.data.source.path.map(output.spare)
    let length = try training.windowLength(
      context: ModelConfiguration(checkpoint).contextLength)
    let model = try LanguageModel(checkpoint, positions: length)
    text = try training.readText(length: length, for: model).map { Fingerprint.text(of: $0.ids) }
    var pruning = options
    pruning.quantization = nil
    let sparse = try pruning.targets(in: checkpoint, runsModel: true, dense: nil)
    let trained = try model.trainedTensors(but: training.frozen)
    try FinetuneOptions.requireMemory(
      training.wholeTrainingBytes(of: model, trained: trained, sparse: sparse, length: length))
    // The others are checked as they are pruned.
    let isSparse = Set(sparse.map { ExactString($0) })
    try model.requireFinite(trained.filter { !isSparse.contains(ExactString($0)) })
  }

  /// The files that are read.
  package var inputFiles: [String] {
    checkpoint.files.map(\.path)
      + [options.calibration?.source.path, training?.data.source.path].compactMap(\.self)
  }

  /// Prunes, trains and rounds; with ``PruneOptions/resumes``, goes on where an earlier run has stopped.
  ///
  /// - Returns: the report of the pruning, with that of the training and the zeros of what was written.
  /// - Throws: the errors of the runs; an ``UnfinishedRun`` where finished work is kept.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    let clock = ContinuousClock()
    let start = clock.now
    let folder = try RunFolder(
      forOutput: Self.stepsPath(output.path), force: options.force, resumes: options.resumes)
    do {
      try folder.requireFree(output.path, force: options.force, work: last)
      try folder.tellDamage(progress)
      var report = try prune(in: folder, on: compute, progress: progress)
      let origin = report.inputFingerprint.map {
        Manifest.Origin(method: options.methodName, input: $0)
      }
      report.training = try train(from: origin, in: folder, on: compute, progress: progress)
      if options.quantization != nil {
        report.sizes = try round(from: origin, in: folder, on: compute, progress: progress)
      }
      let isDone = folder.isDone(output.path, work: last)
      report.options = options
      try report.count(
        in: Checkpoint(path: isDone ? output.path : place(last, in: folder)), on: compute,
        progress: progress)
      if !isDone {
        try folder.append(.complete)
        try CheckpointOutputError.naming {
          try AtomicFolder(path: output.path, workPath: place(last, in: folder))
            .commit(replacing: output.force)
        }
      }
      try folder.remove()
      report.output = output.path
      report.leftAlone = try checkpoint.leftAlone()
      report.seconds = (clock.now - start).seconds
      report.peakResidentBytes = ProcessUsage.peakResidentBytes
      return report
    } catch {
      throw folder.failure(error)
    }
  }

  private static func stepsPath(_ output: String) -> String { output + ".steps" }

  private func place(_ step: String, in folder: RunFolder) -> String {
    Path.join(folder.path, step)
  }

  /// What an earlier run has done in a step; nil where what it has made is not what it made, unless it is the output now.
  private func finished(
    _ step: String, in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> FinishedStep? {
    guard let finished = folder.step(step) else { return nil }
    if folder.isDone(output.path, work: last) { return finished }
    if let made = try? Checkpoint(path: place(step, in: folder)),
      try CheckpointFingerprint(of: made).text(on: compute) == finished.output
    {
      return finished
    }
    try folder.tellDamage(
      of: place(step, in: folder), "the step '\(step)' is done anew", progress)
    return nil
  }

  /// A fingerprint of what a step has made.
  private func made(
    _ step: String, in folder: RunFolder, on compute: Compute
  ) throws -> String {
    try CheckpointFingerprint(of: Checkpoint(path: place(step, in: folder))).text(on: compute)
  }

  /// The size of the output's files, for the step that writes it.
  private func shardSize(of step: String) -> Int? { step == last ? options.shardSize : nil }

  /// Prunes, unless an earlier run has.
  private func prune(
    in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> PruneReport {
    var options = options
    // What is read for the rounding alone is not read here.
    if options.quantization != nil, options.needs == .none, options.reconstruction == nil {
      options.calibration = nil
    }
    options.quantization = nil
    options.output = place(Self.pruned, in: folder)
    options.shardSize = shardSize(of: Self.pruned)
    // What is there, if anything, was made here by a run with the same options, or not finished.
    options.force = true
    options.resumes = true
    let run = try PruneRun(checkpoint.path, options)
    var identity = try run.identity(
      CheckpointFingerprint(of: checkpoint), on: compute, progress: progress)
    identity.add("--finetune", training.map { _ in "given" })
    identity.add(
      "--quantize",
      self.options.quantization.map { "int8, group size \($0.groupSize?.description ?? "none")" })
    identity.add("what is read for the rounding", try calibrationOfRounding())
    identity.add("--shard-size of the output", self.options.shardSize?.description)
    try folder.begin(identity)
    if let finished = try finished(Self.pruned, in: folder, on: compute, progress: progress)?
      .pruning
    {
      return finished.report(options, output: output.path)
    }
    return try run.run(on: compute, progress: progress) {
      try folder.append(
        .step(
          FinishedStep(
            Self.pruned, pruning: FinishedPruning($0),
            output: made(Self.pruned, in: folder, on: compute))))
    }
  }

  /// What tells the calibration of the rounding from others; nil where nothing is rounded, or nothing was said of it.
  private func calibrationOfRounding() throws -> String? {
    guard options.quantization != nil, let calibration = options.calibration else { return nil }
    let text = try calibration.source.path.map { path in
      try MappedFile(path: path).bytes.withUnsafeBytes { Fingerprint.text(of: $0) }
    }
    let (samples, length) = (calibration.samples, calibration.length)
    return "\(text ?? calibration.source.name), \(samples?.description ?? "all") × "
      + "\(length?.description ?? "the usual length"), seed \(calibration.seed)"
  }

  /// Trains the whole model, unless an earlier run has, or it is not to be trained.
  private func train(
    from origin: Manifest.Origin?, in folder: RunFolder, on compute: Compute,
    progress: ProgressHandler
  ) throws -> FinetuneReport? {
    guard var training else { return nil }
    let identity = identity(of: training)
    if let finished = try finished(Self.trained, in: folder, on: compute, progress: progress) {
      if let (part, then, now) = finished.identity?.difference(from: identity) {
        throw JournalError.differs(folder: folder.path, part: part, then: then, now: now)
      }
      return finished.training
    }
    training.dense = checkpoint.path
    training.output = place(Self.trained, in: folder)
    training.shardSize = shardSize(of: Self.trained)
    training.force = true
    training.resumes = true
    training.origin = origin
    func located(_ report: FinetuneReport) -> FinetuneReport {
      var report = report
      report.output = output.path
      return report
    }
    return try located(
      FinetuneRun(place(Self.pruned, in: folder), training).run(on: compute, progress: progress) {
        try folder.append(
          .step(
            FinishedStep(
              Self.trained, training: located($0), identity: identity,
              output: made(Self.trained, in: folder, on: compute))))
      })
  }

  /// What the bytes of the trained model depend on besides the pruned one: another training can follow the same pruning.
  private func identity(of training: FinetuneOptions) -> RunIdentity {
    var identity = RunIdentity()
    identity.add(training)
    identity.add("--data", training.data.source.name)
    identity.add("--start-token", training.data.startName)
    identity.add("the text", text)
    identity.add("--data-samples", training.data.samples?.description)
    identity.add("--data-length", training.data.length?.description)
    return identity
  }

  /// Makes the trained weights INT8 with their masks held, unless an earlier run has: a refit against themselves, rounded.
  ///
  /// - Returns: what the output takes.
  private func round(
    from origin: Manifest.Origin?, in folder: RunFolder, on compute: Compute,
    progress: ProgressHandler
  ) throws -> CheckpointSizes? {
    if let finished = try finished(Self.rounded, in: folder, on: compute, progress: progress)?
      .pruning
    {
      return finished.sizes
    }
    let trained = place(training == nil ? Self.pruned : Self.trained, in: folder)
    var rounding = PruneOptions(
      effort: options.effort, quantization: options.quantization, dense: trained,
      calibration: options.calibration, output: place(Self.rounded, in: folder), force: true,
      shardSize: shardSize(of: Self.rounded), resumes: true, isStrict: options.isStrict,
      memory: options.memory)
    rounding.origin = origin
    let report = try PruneRun(trained, rounding).run(on: compute, progress: progress) {
      try folder.append(
        .step(
          FinishedStep(
            Self.rounded, pruning: FinishedPruning($0),
            output: made(Self.rounded, in: folder, on: compute))))
    }
    return report.sizes
  }
}

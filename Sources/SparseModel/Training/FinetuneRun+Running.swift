public import SparseCore

extension FinetuneRun {
  /// Trains, writes the weights that measured best, and renames the output into place.
  ///
  /// Whatever goes wrong, nothing is left under the output's name. What has been trained until then is kept in the
  /// folder `NAME.partial` beside it, for a run with ``FinetuneOptions/resumes``, which ends with the same bytes.
  ///
  /// - Throws: the errors of reading, training and writing, and what `progress` throws, each as an
  ///   ``UnfinishedRun`` where finished work is kept; ``JournalError`` where such work is in the way.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> FinetuneReport {
    let clock = ContinuousClock()
    let start = clock.now
    let folder = try RunFolder(for: output, resumes: options.resumes)
    do {
      let fingerprint = CheckpointFingerprint(of: checkpoint)
      try folder.begin(identity(fingerprint, on: compute, progress: progress))
      let tokens = try tokens(in: folder, on: compute, progress: progress)
      let (trainer, best) = try train(on: tokens, in: folder, on: compute, progress: progress)
      let trainedWindows = (trainer.windows.count, trainer.windows.length)
      try write(best, tokens, trainer.log, fingerprint, in: folder, on: compute, progress: progress)
      try folder.remove()
      let kept = zip(trainer.parameters.values, trainer.parameters.masks).map {
        (pruned: $1 == nil ? 0 : $0.values.count / 2, all: $0.values.count)
      }
      let pruned = kept.reduce(0) { $0 + $1.pruned }
      return FinetuneReport(
        objective: options.training.objective, output: output.path,
        seconds: (clock.now - start).seconds, peakResidentBytes: ProcessUsage.peakResidentBytes,
        trainedWeights: kept.reduce(0) { $0 + $1.all } - pruned, prunedWeights: pruned,
        windows: trainedWindows, log: trainer.log)
    } catch {
      throw folder.failure(error)
    }
  }

  /// Trains from where an earlier run has stopped, or from the start.
  ///
  /// - Returns: the trainer, and the weights that measured best.
  private func train(
    on tokens: TokenWindows, in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> (Trainer, best: [Matrix]) {
    let heldOutCount = heldOutCount(of: tokens.count)
    let windows = tokens.first(tokens.count - heldOutCount)
    let heldOut =
      options.heldOut
      ?? (heldOutCount > 0 ? tokens[windows: Array(windows.count..<tokens.count)] : nil)
    let isSparse = Set(sparse.map { ExactString($0) })
    let parameters = try TrainingParameters(trained, of: checkpoint, on: compute) {
      isSparse.contains(ExactString($0))
    }
    var trainer = Trainer(
      pass: TrainingPass(decoder: model, compute: compute), options: options.training,
      windows: windows, heldOut: heldOut,
      teacher: try dense.map {
        try Teacher($0, of: windows, beside: output.path, on: compute)
      },
      heldOutTeacher: try heldOut.flatMap { heldOut in
        try dense.map { try Teacher($0, of: heldOut, beside: output.path, on: compute) }
      },
      parameters: parameters,
      optimizer: MaskedOptimizer(options.training.rule, for: parameters.forOptimizer))
    let files = TrainingFiles(folder: folder)
    try files.restore(&trainer, on: compute)
    do {
      try trainer.run(progress: progress) { trainer, isBest in
        if isBest && trainer.heldOut != nil { try files.keepBest(trainer) }
        try files.keep(trainer)
      }
    } catch {
      // Whole steps are not lost to an interruption.
      try files.keep(trainer)
      throw error
    }
    if case .diverged(let step, let loss) = trainer.log.earlyStop,
      trainer.log.best(options.training.objective)?.step ?? 0 == 0
    {
      throw TrainingError.diverged(step: step, loss: loss)
    }
    return (trainer, try files.best(of: trainer))
  }

  /// Writes the output.
  private func write(
    _ weights: [Matrix], _ tokens: TokenWindows, _ log: TrainingLog,
    _ fingerprint: CheckpointFingerprint, in folder: RunFolder, on compute: Compute,
    progress: ProgressHandler
  ) throws {
    var manifest = Manifest(
      method: try checkpoint.manifest()?.method ?? "unknown",
      calibration: Manifest.Calibration(
        source: data.source.name, samples: tokens.count, length: tokens.length,
        seed: data.seed, fingerprint: Fingerprint.text(of: tokens.ids)),
      inputFingerprint: Fingerprint.unknown, pruned: sparse,
      training: Manifest.Training(
        objective: options.training.objective.rawValue, steps: log.steps.count))
    let writer = try CheckpointWriter(
      copying: checkpoint, to: output, changes: CheckpointChanges(), workPath: folder.outputPath,
      fingerprint: fingerprint, others: otherInputs, manifest: manifest.text(for:))
    for (name, weight) in zip(trained, weights) {
      guard let type = checkpoint[name]?.dtype.scalarType else {
        preconditionFailure("FinetuneRun: \(name) was found to be floating-point")
      }
      try writer.write(ByteView(copying: weight.storedBytes(as: type, on: compute)), as: name)
    }
    try writer.copyRemaining(on: compute, progress: progress)
    manifest.inputFingerprint = try writer.fingerprint.text(on: compute, progress: progress)
    try writer.commit(manifest: manifest.text(for:))
  }

  /// The windows: those given, or those that the dense model writes now or has written in an earlier run.
  private func tokens(
    in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> TokenWindows {
    if let givenTokens { return givenTokens }
    if let written = folder.tokens() { return written }
    let writer = dense ?? model
    let tokens = try writer.writeText(
      samples: writtenWindows,
      length: data.length(context: model.configuration.contextLength), seed: data.seed, on: compute,
      progress: progress)
    try folder.keep(tokens)
    return tokens
  }

  /// All that the output's bytes depend on.
  private func identity(
    _ fingerprint: CheckpointFingerprint, on compute: Compute, progress: ProgressHandler
  ) throws -> RunIdentity {
    let training = options.training
    var identity = RunIdentity()
    identity.add("the version of \(Tool.name)", Tool.version)
    identity.add("the kernel set", compute.kernels.name)
    identity.add("--objective", training.objective.rawValue)
    identity.add("the length of the training", "\(training.length)")
    identity.add("--batch", "\(training.batch) × \(training.accumulation)")
    identity.add("--learning-rate", "\(training.learningRate)")
    identity.add("--schedule", "\(training.shape.rawValue), warm-up \(training.warmUpSteps)")
    identity.add("--optimizer", "\(training.rule)")
    identity.add("--clip", training.clippingNorm.map { "\($0)" })
    identity.add("--seed", "\(training.seed)")
    identity.add("--evaluate-every", training.evaluationInterval.map { "\($0)" })
    identity.add("--patience", training.patience.map { "\($0)" })
    identity.add("--freeze", Fingerprint.text(of: trained))
    identity.add("--shard-size", options.shardSize?.description)
    identity.add("--data", data.source.name)
    let tokens = givenTokens.map { Fingerprint.text(of: $0.ids) }
    identity.add("the text", tokens ?? "\(writtenWindows) × \(data.length ?? 0), seed \(data.seed)")
    identity.add(
      "the held-out text",
      options.heldOut.map { Fingerprint.text(of: $0.ids) }
        ?? "\(heldOutCount(of: givenTokens?.count ?? writtenWindows)) windows")
    identity.add(
      try fingerprint.contents(on: compute, progress: progress), of: checkpoint.path)
    if let dense {
      identity.add(
        try CheckpointFingerprint(of: dense.checkpoint).contents(on: compute, progress: progress),
        of: dense.checkpoint.path)
    }
    return identity
  }
}

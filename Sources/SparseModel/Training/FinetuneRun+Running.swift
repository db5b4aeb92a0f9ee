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
    try run(on: compute, progress: progress) { _ in }
  }

  /// The same; tells `finished` while the run could still be gone on with, once its output has its name.
  func run(
    on compute: Compute, progress: ProgressHandler,
    finished: (FinetuneReport) throws -> Void
  ) throws -> FinetuneReport {
    let start = ContinuousClock.now
    if options.reconstruction == nil {
      try FinetuneOptions.requireMemory(wholeTrainingBytes)
    } else {
      try requireBlockMemory()
    }
    let folder = try RunFolder(for: output, resumes: options.resumes)
    do {
      try folder.requireFree(output.path, force: options.force)
      try folder.tellDamage(progress)
      let fingerprint = CheckpointFingerprint(of: checkpoint)
      try folder.begin(identity(fingerprint, on: compute, progress: progress))
      let report =
        if folder.isDone(output.path), let report = folder.step(Self.step)?.training {
          report
        } else {
          try train(
            fingerprint, since: start, in: folder, on: compute, progress: progress)
        }
      try finished(report)
      try folder.remove()
      return report
    } catch {
      throw folder.failure(explained(error, on: compute))
    }
  }

  /// The tensor that numbers which are none came from, where it is found, in place of the error that they led to.
  private func explained(_ error: any Error, on compute: Compute) -> any Error {
    switch error {
    case TrainingError.nonFiniteStates, TrainingError.nonFiniteGradient: break
    case TrainingError.diverged(_, let loss) where !loss.isFinite: break
    default: return error
    }
    for model in [dense, model].compactMap(\.self) {
      do {
        try model.requireFinite(model.trainedTensors(but: []), on: compute)
      } catch let error as LayerError {
        return error
      } catch {}
    }
    return error
  }

  /// The name under which the folder's journal has the report.
  private static let step = "trained"

  /// What training has brought, and the output to which it is still to be given its name.
  typealias Course = (output: TrainedWriter, log: TrainingLog, blocks: [BlockError])

  /// Does what the folder's journal has not seen done.
  private func train(
    _ fingerprint: CheckpointFingerprint, since start: ContinuousClock.Instant,
    in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> FinetuneReport {
    let tokens = try tokens(in: folder, on: compute, progress: progress)
    let course =
      options.reconstruction == nil
      ? try trainWhole(on: tokens, fingerprint, in: folder, on: compute, progress: progress)
      : try trainBlocks(on: tokens, fingerprint, in: folder, on: compute, progress: progress)
    var manifest = course.output.manifest
    let writer = course.output.writer
    try writer.copyRemaining(on: compute, progress: progress)
    manifest.inputFingerprint =
      try options.origin?.input ?? writer.fingerprint.text(on: compute, progress: progress)
    let (all, pruned) = weightCounts
    let report = FinetuneReport(
      objective: options.objectiveName, output: output.path,
      seconds: (ContinuousClock.now - start).seconds,
      peakResidentBytes: ProcessUsage.peakResidentBytes,
      trainedWeights: all - pruned, prunedWeights: pruned,
      layers: (sparse.count, try checkpoint.blockLinears().count - sparse.count),
      windows: (tokens.count - options.heldOutCount(of: tokens.count), tokens.length),
      log: course.log, best: course.log.best(options.training.objective), blocks: course.blocks)
    // For a run that is killed on its last steps: what the report is made from is removed first.
    try folder.append(.step(FinishedStep(Self.step, training: report)))
    try folder.append(.complete)
    try writer.commit(manifest: manifest.text(for:))
    return report
  }

  /// The weights of all tensors that are trained, and those among them that stay 0.
  private var weightCounts: (all: Int, pruned: Int) {
    checkpoint.weightCounts(of: trained, sparse: sparse)
  }

  /// What training through the whole model takes of memory, at most.
  var wholeTrainingBytes: Int {
    options.wholeTrainingBytes(of: model, trained: trained, sparse: sparse, length: length)
  }

  /// Trains through the whole model, from where an earlier run has stopped or from the start, and writes the weights.
  private func trainWhole(
    on tokens: TokenWindows, _ fingerprint: CheckpointFingerprint, in folder: RunFolder,
    on compute: Compute, progress: ProgressHandler
  ) throws -> Course {
    let (log, best) = try train(on: tokens, in: folder, on: compute, progress: progress)
    let output = try writer(
      tokens,
      Manifest.Training(objective: options.objectiveName, steps: log.steps.count), fingerprint,
      in: folder)
    for (name, weight) in zip(trained, best) {
      try output.write(trained: weight, as: name, on: compute)
    }
    return (output, log, [])
  }

  /// - Returns: the course of the training, and the weights that measured best.
  private func train(
    on tokens: TokenWindows, in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> (log: TrainingLog, best: [Matrix]) {
    let heldOutCount = options.heldOutCount(of: tokens.count)
    let windows = tokens.first(tokens.count - heldOutCount)
    let heldOut =
      options.heldOut
      ?? (heldOutCount > 0 ? tokens[windows: Array(windows.count..<tokens.count)] : nil)
    let isSparse = Set(sparse.map { ExactString($0) })
    let parameters = try TrainingParameters(trained, of: checkpoint, on: compute) {
      isSparse.contains(ExactString($0))
    }
    let teacher = options.needsTeacher ? dense : nil
    var trainer = Trainer(
      pass: TrainingPass(decoder: model, compute: compute), options: options.training,
      windows: windows, heldOut: heldOut,
      teacher: try teacher.map {
        try Teacher($0, of: windows, beside: output.path, on: compute)
      },
      heldOutTeacher: try heldOut.flatMap { heldOut in
        try teacher.map { try Teacher($0, of: heldOut, beside: output.path, on: compute) }
      },
      parameters: parameters,
      optimizer: MaskedOptimizer(options.training.rule, for: parameters.forOptimizer))
    let files = TrainingFiles(folder: folder)
    try files.restore(&trainer, on: compute)
    do {
      var lastKept = ContinuousClock.now
      try Allocator.keepingFreedMemory {
        try trainer.run(progress: progress) { trainer in
          // Between measurements that are far apart; what is kept when changes no byte of the result.
          guard ContinuousClock.now - lastKept >= options.keepingInterval else { return }
          try files.keep(trainer)
          lastKept = .now
        } evaluated: { trainer, isBest in
          if isBest && trainer.heldOut != nil { try files.keepBest(trainer) }
          try files.keep(trainer)
          lastKept = .now
        }
      }
    } catch {
      // Whole steps are not lost to an interruption.
      if trainer.log != TrainingLog() { try files.keep(trainer) }
      throw error
    }
    if trainer.log.best(options.training.objective)?.step ?? 0 == 0 {
      // Nothing has got better that could be written.
      switch trainer.log.earlyStop {
      case .diverged(let step, let loss): throw TrainingError.diverged(step: step, loss: loss)
      case .nonFiniteGradient(let step, let tensor, let count):
        throw TrainingError.nonFiniteGradient(step: step, tensor: tensor, count: count)
      case .patience, nil: break
      }
    }
    return (trainer.log, try files.best(of: trainer))
  }

  /// The output as it is made in the run's folder, with what is known of it before the work.
  func writer(
    _ tokens: TokenWindows, _ training: Manifest.Training, _ fingerprint: CheckpointFingerprint,
    in folder: RunFolder
  ) throws -> TrainedWriter {
    let manifest = Manifest(
      method: try options.origin?.method ?? checkpoint.manifest()?.method ?? "unknown",
      calibration: Manifest.Calibration(
        source: options.data.source.name, samples: tokens.count, length: tokens.length,
        seed: options.data.seed, fingerprint: Fingerprint.text(of: tokens.ids),
        startTokens: tokens.startTokens),
      inputFingerprint: Fingerprint.unknown, pruned: sparse, training: training)
    let writer = try CheckpointWriter(
      copying: checkpoint, to: output, changes: CheckpointChanges(), workPath: folder.outputPath,
      fingerprint: fingerprint, others: otherInputs, manifest: manifest.text(for:))
    return TrainedWriter(
      writer: writer, manifest: manifest,
      twin: model.redundantHead.map { (model.names.embedding, $0) })
  }

  /// The windows: those given, or those that the dense model writes now or has written in an earlier run.
  private func tokens(
    in folder: RunFolder, on compute: Compute, progress: ProgressHandler
  ) throws -> TokenWindows {
    if let givenTokens { return givenTokens }
    if let written = try folder.tokens(progress) { return written }
    let writer = dense ?? model
    let work = TextWork(
      writer, samples: options.writtenWindows, length: length, threads: compute.threads)
    let tokens = try writer.writeText(
      samples: options.writtenWindows, length: length, seed: options.data.seed,
      memory: options.memory.map(work.memory) ?? TextMemory(), on: compute, progress: progress)
    try folder.keep(tokens)
    return tokens
  }

  /// All that the output's bytes depend on.
  private func identity(
    _ fingerprint: CheckpointFingerprint, on compute: Compute, progress: ProgressHandler
  ) throws -> RunIdentity {
    var identity = RunIdentity()
    identity.add("the version of \(Tool.name)", Tool.version)
    identity.add("the kernel set", compute.kernels.name)
    identity.add("the model", checkpoint.path)
    identity.add("--dense", dense?.checkpoint.path)
    identity.add(options)
    identity.add("what is trained", Fingerprint.text(of: trained))
    identity.add("--shard-size", options.shardSize?.description)
    identity.add("--data", options.data.source.name)
    identity.add("--start-token", options.data.startName)
    let count = givenTokens?.count ?? options.writtenWindows
    identity.add("the text's size", "\(count) × \(length)")
    identity.add(
      "the text",
      givenTokens.map { Fingerprint.text(of: $0.ids) } ?? "written, seed \(options.data.seed)")
    identity.add(
      "the held-out text",
      options.heldOut.map { "\($0.count) × \($0.length), \(Fingerprint.text(of: $0.ids))" }
        ?? "\(options.heldOutCount(of: count).counting("window")) set aside")
    for model in [checkpoint, dense?.checkpoint].compactMap(\.self) {
      identity.add(
        "config.json of \(model.path)",
        try model.configPath.map { path in
          try MappedFile(path: path).bytes.withUnsafeBytes { Fingerprint.text(of: $0) }
        })
    }
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

extension RunIdentity {
  /// Adds how is trained.
  mutating func add(_ options: FinetuneOptions) {
    let training = options.training
    add("--scope", options.reconstruction == nil ? "all" : "blocks")
    add("--freeze", options.frozen.isEmpty ? nil : options.frozen.joined(separator: ", "))
    add("--objective", training.objective.rawValue)
    add("the length of the training", "\(training.length)")
    add("--batch", "\(training.batch) × \(training.accumulation)")
    add("--learning-rate", "\(training.learningRate)")
    add("--schedule", "\(training.shape.rawValue), warm-up \(training.warmUpSteps)")
    add("--optimizer", "\(training.rule)")
    add("--clip", training.clippingNorm.map { "\($0)" })
    add("how blocks are trained", options.reconstruction.map { "\($0)" })
    add("--seed", "\(training.seed)")
    add("--evaluate-every", training.evaluationInterval.map { "\($0)" })
    add("--patience", training.patience.map { "\($0)" })
  }
}

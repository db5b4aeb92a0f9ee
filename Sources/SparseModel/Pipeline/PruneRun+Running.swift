public import SparseCore

extension PruneRun {
  /// Prunes, writes the output and renames it into place.
  ///
  /// The output is opened before the work begins, so a folder that cannot be written to is found out
  /// at once. Whatever goes wrong, nothing is left under the output's name. What has been finished until then
  /// is kept in the folder `NAME.partial` beside it, for a run with ``PruneOptions/resumes``.
  ///
  /// - Throws: the errors of reading, calibrating, pruning and writing, and what `progress` throws, each as an
  ///   ``UnfinishedRun`` where finished work is kept; ``JournalError`` where such work is in the way.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    try run(on: compute, progress: progress) { _ in }
  }

  /// The same; tells `finished` while the run could still be gone on with, once its output has its name.
  func run(
    on compute: Compute, progress: ProgressHandler, finished: (PruneReport) throws -> Void
  ) throws -> PruneReport {
    let clock = ContinuousClock()
    let start = clock.now
    let plan = try memoryPlan(on: compute)
    let folder = try RunFolder(for: output, resumes: options.resumes)
    do {
      try folder.requireFree(output.path, force: options.force)
      try folder.tellDamage(progress)
      var writingSeconds: Double?
      let (layers, blocks, manifest) = try run(
        in: folder, plan, &writingSeconds, on: compute, progress: progress)
      var report = PruneReport(
        method: options.methodName, output: output.path, seconds: (clock.now - start).seconds,
        peakResidentBytes: ProcessUsage.peakResidentBytes,
        calibration: manifest.calibration.map { calibration in
          (
            calibration,
            errorTokens: errorTokens(samples: calibration.samples, length: calibration.length)
          )
        },
        layers: layers, blocks: blocks, options: options,
        inputFingerprint: manifest.inputFingerprint,
        sizes: CheckpointSizes(
          of: checkpoint, changes, pruned: layers.filter { !$0.isDense }.map(\.name)))
      report.writingSeconds = writingSeconds
      report.leftAlone = try checkpoint.leftAlone()
      try finished(report)
      try folder.remove()
      return report
    } catch {
      throw folder.failure(error)
    }
  }

  /// Does what the folder's journal has not seen done.
  private func run(
    in folder: RunFolder, _ plan: MemoryPlan, _ writingSeconds: inout Double?,
    on compute: Compute, progress: ProgressHandler
  ) throws -> (layers: [LayerReport], blocks: [BlockError], manifest: Manifest) {
    let fingerprint = CheckpointFingerprint(of: checkpoint)
    try folder.begin(identity(fingerprint, on: compute, progress: progress))
    var manifest = try manifest()
    if let layers = folder.finishedLayers(
      of: targets, shapes: targets.map { checkpoint[$0]?.shape ?? [] }, output: output.path)
    {
      if let tokens = givenTokens.map({ Fingerprint.text(of: $0.ids) })
        ?? folder.tokensFingerprint
      {
        manifest.calibration?.fingerprint = tokens
      }
      manifest.inputFingerprint =
        try options.origin?.input ?? fingerprint.text(on: compute, progress: progress)
      return (layers, folder.reconstructions, manifest)
    }
    let writer = try CheckpointWriter(
      copying: checkpoint, to: output, changes: changes, workPath: folder.outputPath,
      fingerprint: fingerprint, others: otherInputs, manifest: manifest.text(for:))
    let layers: [LayerReport]
    if let model, let calibration {
      let tokens = try tokens(
        calibration, model, in: folder, plan.writing, &writingSeconds, on: compute,
        progress: progress)
      manifest.calibration?.fingerprint = Fingerprint.text(of: tokens.ids)
      layers = try JournaledBlocks(
        pruning: BlockwisePruning(
          model: model, recipe: recipe, targets: Set(targets.map { ExactString($0) }),
          reconstruction: reconstruction(of: tokens, plan.choices, on: compute),
          compute: compute, memory: plan.choices, outputPath: output.path),
        folder: folder, writer: writer
      ).run(on: tokens, progress: progress)
    } else {
      layers = try JournaledTensors(
        checkpoint: checkpoint, targets: targets, recipe: recipe, folder: folder, writer: writer,
        compute: compute, stretch: journalStretch
      ).run(progress: progress)
    }
    try writer.copyRemaining(on: compute, progress: progress)
    manifest.inputFingerprint =
      try options.origin?.input ?? writer.fingerprint.text(on: compute, progress: progress)
    try folder.append(.complete)
    try writer.commit(manifest: manifest.text(for:))
    return (layers, folder.reconstructions, manifest)
  }

  /// Makes what trains each block once it is pruned; nil for nothing.
  private func reconstruction(
    of tokens: TokenWindows, _ memory: MemoryChoices, on compute: Compute
  ) -> (() throws -> BlockReconstruction)? {
    guard let options = options.reconstruction, let model else { return nil }
    return {
      try BlockReconstruction(
        options, teacher: dense.map { try LanguageModel($0, positions: tokens.length) } ?? model,
        on: tokens, beside: memory.spill.hidden ? output.path : nil, compute: compute)
    }
  }

  /// The calibration tokens: those given, or those that the model writes now or has written in an earlier run.
  private func tokens(
    _ calibration: CalibrationOptions, _ model: LanguageModel, in folder: RunFolder,
    _ memory: TextMemory, _ writingSeconds: inout Double?, on compute: Compute,
    progress: ProgressHandler
  ) throws -> TokenWindows {
    if let givenTokens { return givenTokens }
    if let written = try folder.tokens(progress), let (samples, length) = calibrationSize,
      written.count == samples && written.length == length
    {
      return written
    }
    let start = ContinuousClock.now
    let tokens = try calibration.written(by: model, memory, on: compute, progress: progress)
    writingSeconds = (ContinuousClock.now - start).seconds
    try folder.keep(tokens)
    return tokens
  }

  /// What is done to each stage.
  var recipe: StageRecipe { options.recipe(dense: dense) }

  /// How many of the calibration tokens the errors are measured on.
  private func errorTokens(samples: Int, length: Int) -> Int {
    options.needs == .gram
      ? samples * length : InputSample(windows: samples, length: length).tokens
  }

  /// The manifest as far as it is known before the work: fingerprints take their place later.
  private func manifest() throws -> Manifest {
    var manifest = try options.manifest(of: checkpoint, targets: targets)
    if let calibration, let (samples, length) = calibrationSize {
      if let reconstruction = options.reconstruction {
        manifest.training = reconstruction.manifest(windows: samples)
      }
      manifest.calibration = Manifest.Calibration(
        source: calibration.source.name, samples: samples, length: length, seed: calibration.seed,
        fingerprint: Fingerprint.unknown, startTokens: givenTokens?.startTokens ?? [])
    }
    return manifest
  }

  /// All that the output's bytes depend on.
  ///
  /// Where tensors are pruned one by one, each is compared when it is its turn.
  func identity(
    _ fingerprint: CheckpointFingerprint, on compute: Compute, progress: ProgressHandler
  ) throws -> RunIdentity {
    var identity = RunIdentity()
    identity.add("the version of \(Tool.name)", Tool.version)
    identity.add("the kernel set", compute.kernels.name)
    identity.add(options)
    identity.add("--shard-size", options.shardSize?.description)
    identity.add("--strict", options.isStrict.description)
    identity.add("the choice of weights", Fingerprint.text(of: targets))
    if let calibration, let (samples, length) = calibrationSize {
      identity.add("--calibration", calibration.source.name)
      identity.add("the calibration's size", "\(samples) × \(length)")
      identity.add("--seed", calibration.seed.description)
      identity.add("--start-token", calibration.startName)
      identity.add("the calibration's tokens", givenTokens.map { Fingerprint.text(of: $0.ids) })
    }
    for file in checkpoint.files {
      identity.add(
        "the layout of \(Path.name(of: file.path))",
        Fingerprint.text(of: file.tensors.map { "\($0.name) \($0.dtype.rawValue) \($0.shape)" }))
    }
    identity.add(
      "config.json",
      try checkpoint.configPath.map { path in
        try MappedFile(path: path).bytes.withUnsafeBytes { Fingerprint.text(of: $0) }
      })
    guard model != nil else { return identity }
    identity.add(
      try fingerprint.contents(on: compute, progress: progress), of: checkpoint.path)
    if let dense {
      identity.add(
        try CheckpointFingerprint(of: dense).contents(on: compute, progress: progress),
        of: dense.path)
    }
    return identity
  }
}

public import SparseCore

/// Measures how much each part of a model suffers from pruning or quantizing, all others left as they are.
///
/// ```swift
/// let run = try SensitivityRun("model", SensitivityOptions(heldOut: CalibrationOptions(source: .text(path: "held-out.txt"))))
/// let worst = try run.run().ranked.prefix(10)
/// ```
public struct SensitivityRun: Sendable {
  /// The model.
  public let checkpoint: Checkpoint
  /// What is to be done.
  public let options: SensitivityOptions
  /// The weights that are looked at, in the order in which they run.
  public let targets: [String]
  /// The files that are read.
  package let inputFiles: [String]
  let model: LanguageModel
  private let outputPath: String?
  let calibration: CalibrationOptions?
  let heldOut: CalibrationOptions
  let calibrationTokens: TokenWindows?  // nil where the model is to write them
  let heldOutTokens: TokenWindows?  // likewise

  /// Opens a model and checks all that can be checked before the work.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the model and reading texts, ``SelectionError``, and ``LayerError`` for a
  ///   weight whose inputs are not a multiple of 4.
  public init(_ path: String, _ options: SensitivityOptions) throws {
    checkpoint = try Checkpoint(path: path)
    self.options = options
    try checkpoint.requireWhole()
    var pruning = options.pruning
    pruning.keptDense = []
    targets = try pruning.targets(in: checkpoint, runsModel: true, dense: nil)
    let needs = options.prunes ? pruning.needs : pruning.smoothing == nil ? .none : .norms
    calibration =
      pruning.calibration ?? (needs == .none ? nil : CalibrationOptions())
    let context = try ModelConfiguration(checkpoint).contextLength
    var heldOut = options.heldOut
    heldOut.seed = 0
    heldOut.samples =
      heldOut.samples
      ?? (options.isFast
        ? SensitivityOptions.defaultFastWindows : SensitivityOptions.defaultWindows)
    heldOut.length = heldOut.length ?? min(SensitivityOptions.defaultLength, context)
    self.heldOut = heldOut
    model = try LanguageModel(
      checkpoint,
      positions: max(calibration?.length(context: context) ?? 0, heldOut.length(context: context)))
    calibrationTokens = try calibration?.readTokens(for: model)
    heldOutTokens = try heldOut.readTokens(for: model)
    inputFiles =
      checkpoint.files.map(\.path) + [checkpoint.path]
      + [
        checkpoint.configPath, checkpoint.tokenizerPath, calibration?.source.path,
        heldOut.source.path,
      ].compactMap { $0 }
    // A result that is complete but for the end of its run is no obstacle to that end.
    outputPath = try options.output.map { [inputFiles] path in
      let isDone = try options.resumes && RunFolder.isDone(path)
      return try FileOutput(path, sparing: inputFiles, force: options.force || isDone).path
    }
  }

  /// Measures all parts.
  ///
  /// With an output, finished blocks are kept in the folder `OUTPUT.partial` beside it until the result is written,
  /// for a run with ``SensitivityOptions/resumes``.
  ///
  /// - Throws: the errors of reading, pruning and writing, and what `progress` throws, each as an
  ///   ``UnfinishedRun`` where finished work is kept; ``JournalError`` where such work is in the way.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> SensitivityReport {
    guard let outputPath else { return try measure(in: nil, on: compute, progress: progress) }
    let folder = try RunFolder(
      forOutput: outputPath, force: options.force, resumes: options.resumes)
    do {
      try folder.requireFree(outputPath, force: options.force)
      try folder.tellDamage(progress)
      let isDone = folder.isDone(outputPath)
      try folder.begin(identity(on: compute, progress: progress))
      let report = try measure(in: folder, on: compute, progress: progress)
      let text = report.json.text(pretty: true) + "\n"
      // A run that only lacks its end has given the result its name already.
      if !isDone { try folder.write(Array(text.utf8), as: outputPath, replacing: options.force) }
      try folder.remove()
      return report
    } catch {
      throw folder.failure(error)
    }
  }

  private func measure(
    in folder: RunFolder?, on compute: Compute, progress: ProgressHandler
  ) throws -> SensitivityReport {
    let clock = ContinuousClock()
    let start = clock.now
    let (calibrationTokens, heldOutTokens) = try tokens(
      in: folder, on: compute, progress: progress)
    var heldOut = try HeldOutText(heldOutTokens, model: model, on: compute)
    let dense = try options.isFast ? nil : heldOut.predict(progress: progress)
    var recipe = options.pruning.recipe(dense: nil)
    recipe.dense = options.prunes ? [] : Set(targets.map(ExactString.init))
    let walk = SensitivityWalk(
      model: model,
      pruning: StagePruning(
        model: model, recipe: recipe, targets: Set(targets.map(ExactString.init)),
        compute: compute),
      heldOut: heldOut, unit: options.unit, isFast: options.isFast)
    var parts: [Sensitivity] = []
    var blocks = 0
    for case .sensitivity(blocks, let finished) in folder?.entries ?? [] {
      parts += finished
      blocks += 1
    }
    try walk.run(
      on: calibrationTokens ?? heldOutTokens, startingAt: blocks,
      finished: { block, measured in
        parts += measured
        try folder?.append(.sensitivity(block: block, parts: measured))
      }, progress: progress)
    return SensitivityReport(
      model: checkpoint.path,
      method: options.prunes ? options.pruning.methodName : "none",
      isQuantized: options.pruning.quantization != nil, unit: options.unit,
      isFast: options.isFast,
      calibration: calibration.flatMap { calibration in
        calibrationTokens.map {
          Manifest.Calibration(
            source: calibration.source.name, samples: $0.count, length: $0.length,
            seed: calibration.seed, fingerprint: Fingerprint.text(of: $0.ids),
            startTokens: $0.startTokens)
        }
      },
      heldOut: self.heldOut.source.name,
      heldOutSize: (heldOutTokens.count, heldOutTokens.length), dense: dense,
      seconds: (clock.now - start).seconds, peakResidentBytes: ProcessUsage.peakResidentBytes,
      parts: parts)
  }

  /// The calibration and the held-out tokens: those given, or those that the model writes, now or in an earlier run.
  ///
  /// Sequences that the model writes have streams of random numbers of their own, so those of the held-out text
  /// come after those of the calibration and have nothing to do with them.
  private func tokens(
    in folder: RunFolder?, on compute: Compute, progress: ProgressHandler
  ) throws -> (calibration: TokenWindows?, heldOut: TokenWindows) {
    let context = model.configuration.contextLength
    let writesCalibration = calibration != nil && calibrationTokens == nil
    let samples = calibration?.samples ?? CalibrationOptions.defaultSamples
    func written(_ first: Int, _ count: Int, _ length: Int) throws -> TokenWindows {
      try model.writeText(
        from: first, samples: count, length: length, seed: calibration?.seed ?? 0, on: compute,
        progress: progress)
    }
    var first = calibrationTokens
    if writesCalibration, let calibration {
      let length = calibration.length(context: context)
      let kept = try folder?.tokens(progress)
      if let kept, kept.count == samples, kept.length == length {
        first = kept
      } else {
        let tokens = try written(0, samples, length)
        try folder?.keep(tokens)
        first = tokens
      }
    }
    let second =
      try heldOutTokens
      ?? written(
        samples, heldOut.samples ?? 0, heldOut.length(context: context))
    return (first, second)
  }

  /// All that the numbers depend on.
  private func identity(on compute: Compute, progress: ProgressHandler) throws -> RunIdentity {
    var identity = RunIdentity()
    identity.add("the version of \(Tool.name)", Tool.version)
    identity.add("the kernel set", compute.kernels.name)
    identity.add(options.pruning)
    identity.add("whether weights are pruned", options.prunes.description)
    identity.add("--by", options.unit.rawValue)
    identity.add("--fast", options.isFast.description)
    identity.add("the choice of weights", Fingerprint.text(of: targets))
    for (name, text, tokens) in [
      ("calibration", calibration, calibrationTokens), ("held-out text", heldOut, heldOutTokens),
    ] {
      identity.add("the \(name)'s source", text?.source.name)
      identity.add(
        "the \(name)'s size",
        text.map { "\($0.samples ?? 0) × \($0.length ?? 0) from \($0.seed)" })
      identity.add("the \(name)'s start", text?.startName)
      identity.add("the \(name)'s tokens", tokens.map { Fingerprint.text(of: $0.ids) })
    }
    identity.add(
      "config.json",
      try checkpoint.configPath.map { path in
        try MappedFile(path: path).bytes.withUnsafeBytes { Fingerprint.text(of: $0) }
      })
    identity.add(
      try CheckpointFingerprint(of: checkpoint).contents(on: compute, progress: progress),
      of: checkpoint.path)
    return identity
  }
}

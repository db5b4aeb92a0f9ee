public import SparseCore

/// What a run of collecting statistics is asked to do.
public struct CalibrateOptions: Sendable {
  /// The whole calibration, the same for every part.
  public var calibration: CalibrationOptions
  /// What is collected: norms or grams.
  public var kind: StatisticsKind
  /// The sequences of this part.
  public var samples: SampleSelection
  /// The blocks of this part; nil for all.
  ///
  /// The blocks before them are run, too.
  public var blocks: Range<Int>?
  /// The file that is written.
  public var output: String
  /// Whether an existing output is replaced.
  public var force: Bool

  /// Grams of everything, by default.
  public init(
    calibration: CalibrationOptions = CalibrationOptions(), kind: StatisticsKind = .gram,
    samples: SampleSelection = .all, blocks: Range<Int>? = nil, output: String, force: Bool = false
  ) {
    precondition(kind != .none, "CalibrateOptions: there is nothing to collect")
    self.calibration = calibration
    self.kind = kind
    self.samples = samples
    self.blocks = blocks
    self.output = output
    self.force = force
  }
}

/// The dense model's statistics, or a part of them: what each stage of some blocks reads on some of the calibration sequences.
///
/// Parts need nothing of each other; ``StatisticsMerge`` adds them up to the very bytes of a run over all.
///
/// ```swift
/// let options = CalibrateOptions(samples: .part(part), output: "statistics-3.safetensors")
/// let report = try CalibrateRun("model", options).run()
/// ```
public struct CalibrateRun: Sendable {
  /// The model.
  public let checkpoint: Checkpoint
  private let model: LanguageModel
  private let options: CalibrateOptions
  private let output: FileOutput
  private let manifest: StatisticsManifest
  private let inputs: [InputStamp]  // all files that are read
  private let given: TokenWindows?  // this part's sequences; nil where the model is to write them

  /// Opens a model and checks all that can be checked before the work.
  ///
  /// - Throws: the errors of opening the model and reading calibration tokens, ``PartError``, ``StatisticsError``.
  public init(_ path: String, _ options: CalibrateOptions) throws {
    self.options = options
    checkpoint = try Checkpoint(path: path)
    let calibration = options.calibration
    output = try FileOutput(
      options.output,
      sparing: checkpoint.files.map(\.path)
        + [checkpoint.path, calibration.source.path].compactMap { $0 },
      outside: checkpoint.isFolder ? checkpoint.folder : nil, force: options.force)
    let texts = [checkpoint.configPath, checkpoint.tokenizerPath, calibration.source.path]
    inputs = try checkpoint.stamps + texts.compactMap(\.self).map(InputStamp.init(of:))
    try checkpoint.requireWhole()
    let configuration = try ModelConfiguration(checkpoint)
    model = try LanguageModel(
      checkpoint, positions: calibration.length(context: configuration.contextLength))
    let all = try calibration.readTokens(for: model)
    let total = all?.count ?? calibration.samples ?? CalibrationOptions.defaultSamples
    guard total <= ExactSums.mostTerms else {
      throw StatisticsError.tooManySamples(total, limit: ExactSums.mostTerms)
    }
    let samples = try options.samples.range(of: total)
    let blocks = options.blocks ?? 0..<model.blocks.count
    try blocks.check(of: "blocks", count: model.blocks.count)
    let length = all?.length ?? calibration.length(context: configuration.contextLength)
    try PhysicalMemory.require(
      Double(samples.count) * Double(length) * Double(4 * configuration.width),
      for: "calibration with \(samples.count.counting("sequence")) of \(length.counting("token"))")
    manifest = StatisticsManifest(
      kernels: "", kind: options.kind, model: Fingerprint.unknown, modelBlocks: model.blocks.count,
      calibration: Manifest.Calibration(
        source: calibration.source.name, samples: total, length: length, seed: calibration.seed,
        fingerprint: all.map { Fingerprint.text(ofSequences: Fingerprint.sequences($0)) }
          ?? Fingerprint.unknown,
        startTokens: all?.startTokens ?? []),
      samples: samples, blocks: blocks, stages: model.stageKeys(of: blocks))
    given = all.map { all in
      TokenWindows(count: samples.count, length: all.length, ids: Array(all[samples]))
    }
  }

  /// Runs the sequences through the model, and writes the file as the stages are done.
  ///
  /// Whatever goes wrong, nothing is left under the output's name.
  ///
  /// - Throws: the errors of reading, calibrating and writing, and what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> CalibrateReport {
    let clock = ContinuousClock()
    let start = clock.now
    var manifest = manifest
    manifest.kernels = compute.kernels.name
    let writer = try SafetensorsWriter(
      path: output.path, tensors: manifest.tensors,
      metadata: [StatisticsManifest.key: manifest.text])
    manifest.model = try CheckpointFingerprint(of: checkpoint).text(on: compute, progress: progress)
    let calibration = manifest.calibration
    let windows =
      try given
      ?? model.writeText(
        from: manifest.samples.lowerBound, samples: manifest.samples.count,
        length: calibration.length, seed: calibration.seed, on: compute, progress: progress)
    let sequences = Fingerprint.sequences(windows)
    if manifest.hasAllSamples {
      manifest.calibration.fingerprint = Fingerprint.text(ofSequences: sequences)
    }
    try writer.write(ByteView(valuesOf: sequences), as: StatisticsManifest.sequences)
    try StatisticsCollection(model: model, manifest: manifest, compute: compute).run(
      on: windows, write: { try writer.write($0, as: $1, at: $2) }, progress: progress)
    try inputs.check()
    try output.commit(writer, metadata: [StatisticsManifest.key: manifest.text])
    return CalibrateReport(
      manifest, output: output.path, bytes: writer.header.fileByteCount,
      seconds: (clock.now - start).seconds)
  }
}

extension LanguageModel {
  /// The stages of some blocks, in the order in which they run.
  func stageKeys(of blocks: Range<Int>) -> [StatisticsManifest.StageKey] {
    blocks.flatMap { index in
      let block = self.blocks[index]
      return type(of: block).stages.map { stage in
        StatisticsManifest.StageKey(
          block: index, stage: stage.name,
          inputs: block.linear(stage.linears[0]).weight.columns)
      }
    }
  }
}

public import SparseCore

/// One checkpoint on its way to 2:4: opened and checked when made, pruned and written by ``run(on:progress:)``.
///
/// ```swift
/// let run = try PruneRun("model", PruneOptions(method: .magnitude, output: "model-2of4"))
/// let report = try run.run()
/// ```
public struct PruneRun: Sendable {
  /// The input.
  public let checkpoint: Checkpoint
  /// What is to be done.
  public let options: PruneOptions
  /// The weights that will be 2:4, in the checkpoint's order.
  public let targets: [String]
  /// Where the output goes: found free, and fit for the input.
  public let output: CheckpointOutput
  /// The calibration that will be used; nil for none.
  public let calibration: CalibrationOptions?
  private let model: Decoder?
  private let dense: Checkpoint?
  private let changes: CheckpointChanges
  private let givenTokens: TokenWindows?  // nil where the model is to write them, too

  /// Opens a checkpoint and checks all that can be checked before the work.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the checkpoint and of reading calibration tokens,
  ///   ``SelectionError``, and ``LayerError`` for a weight whose inputs are not a multiple of 4.
  public init(_ path: String, _ options: PruneOptions) throws {
    checkpoint = try Checkpoint(path: path)
    self.options = options
    calibration = options.calibration ?? (options.needs != .none ? CalibrationOptions() : nil)
    output = try CheckpointOutput(options.output, for: checkpoint, force: options.force)
    try calibration?.source.path.map(output.spare)
    dense = try options.dense.map { try Checkpoint(path: $0) }
    try dense?.files.map(\.path).forEach(output.spare)
    try checkpoint.requireWhole()
    try dense?.requireWhole()

    var candidates =
      calibration == nil ? try checkpoint.blockWeights() : try checkpoint.blockLinears()
    guard !candidates.isEmpty else { throw SelectionError.noCandidates(path: path) }
    if let dense {
      candidates = try checkpoint.sparseWeights(among: candidates)
      guard !candidates.isEmpty else { throw RefitError.nothingSparse(path: path) }
      try checkpoint.checkMatch(of: candidates, in: dense)
    }
    targets = try options.selection.apply(to: candidates)
    for name in targets {
      guard checkpoint[name]?.dtype != .i8 else {
        throw Int8WeightError.alreadyInt8(tensor: name, path: checkpoint.path)
      }
      let columns = try checkpoint.matrix(name).columns
      guard columns % 4 == 0 else {
        throw LayerError(
          layer: name, model: checkpoint.path, reason: .columnsNotMultipleOfFour(columns: columns))
      }
    }
    if let quantization = options.quantization {
      changes = try CompressedTensors.changes(
        quantizing: targets, of: checkpoint, groupSize: quantization.groupSize)
    } else {
      changes = CheckpointChanges()
    }
    guard let calibration else {
      model = nil
      givenTokens = nil
      return
    }
    let configuration = try ModelConfiguration(checkpoint)
    let length = calibration.length(context: configuration.contextLength)
    let model = try Decoder(checkpoint, positions: length)
    self.model = model
    givenTokens = try calibration.readTokens(for: model)
    // The residual stream of all tokens is held at once.
    let samples = calibrationSize?.samples ?? 0
    try PhysicalMemory.require(
      Double(samples) * Double(length) * Double(4 * configuration.width),
      for: "calibration with \(samples.counting("sequence")) of \(length.counting("token"))")
  }

  /// The tensors' bytes in the output.
  package var outputBytes: Int { changes.byteCount(of: checkpoint) }

  /// The files that are read: weights, their index, config.json, tokenizer.json, calibration tokens.
  package var inputFiles: [String] {
    checkpoint.files.map(\.path) + [checkpoint.path]
      + [checkpoint.configPath, checkpoint.tokenizerPath, calibration?.source.path].compactMap {
        $0
      }
  }

  /// The number of calibration sequences and of the tokens in each; nil where none is used.
  public var calibrationSize: (samples: Int, length: Int)? {
    if let givenTokens { return (givenTokens.count, givenTokens.length) }
    guard let calibration, let model else { return nil }
    return (
      calibration.samples ?? CalibrationOptions.defaultSamples,
      calibration.length(context: model.configuration.contextLength)
    )
  }

  /// Prunes, writes the output and renames it into place.
  ///
  /// The output is opened before the work begins, so a folder that cannot be written to is found out
  /// at once. Whatever goes wrong, nothing is left under the output's name.
  ///
  /// - Throws: the errors of reading, calibrating, pruning and writing, and what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    let clock = ContinuousClock()
    let start = clock.now
    var windows = givenTokens
    var manifest = try manifest()
    let writer = try CheckpointWriter(
      copying: checkpoint, to: output, changes: changes, manifest: manifest.text(for:))
    func write(_ name: String, _ tensor: StoredMatrix) throws {
      if tensor.grid == nil {
        try writer.write(tensor.bytes, as: name)
      } else {
        try writer.write(int8: tensor, as: name)
      }
    }
    let layers: [LayerReport]
    if let model, let calibration {
      let tokens = try windows ?? calibration.written(by: model, on: compute, progress: progress)
      manifest.calibration?.fingerprint = Fingerprint.text(of: tokens.ids)
      let pruning = BlockwisePruning(
        model: model, recipe: recipe, targets: Set(targets.map { ExactString($0) }),
        compute: compute)
      layers = try pruning.run(
        on: tokens, write: write, progress: progress)
      windows = tokens
    } else if options.quantization != nil {
      layers = try WeightwisePruning(
        checkpoint: checkpoint, recipe: recipe, targets: targets, compute: compute
      ).run(write: write, progress: progress)
    } else {
      layers = try StreamedPruning(
        checkpoint: checkpoint, targets: targets, writer: writer, compute: compute
      ).run(progress: progress)
    }
    try writer.copyRemaining(on: compute, progress: progress)
    manifest.inputFingerprint = try writer.fingerprint.text(on: compute, progress: progress)
    try writer.commit(manifest: manifest.text(for:))
    return PruneReport(
      method: options.methodName, output: output.path, seconds: (clock.now - start).seconds,
      peakResidentBytes: ProcessUsage.peakResidentBytes,
      calibration: windows.flatMap { windows in
        manifest.calibration.map { ($0, errorTokens: errorTokens(of: windows)) }
      },
      layers: layers)
  }

  /// What is done to each stage.
  private var recipe: StageRecipe {
    StageRecipe(
      pruner: options.method.pruner(effort: options.effort), quantization: options.quantization,
      permutes: options.permutes ?? (options.dense == nil), smoothing: options.smoothing,
      refit: dense.map { (Refit(effort: options.effort), $0) }, isStrict: options.isStrict)
  }

  /// How many of the calibration tokens the errors are measured on.
  private func errorTokens(of windows: TokenWindows) -> Int {
    options.needs == .gram
      ? windows.ids.count : InputSample(windows: windows).tokens
  }

  /// The manifest as far as it is known before the work: fingerprints take their place later.
  private func manifest() throws -> Manifest {
    let now = Set(targets.map(ExactString.init))
    let earlier = try checkpoint.promisedWeights() ?? []
    var manifest = Manifest(
      method: options.methodName, inputFingerprint: Fingerprint.unknown,
      pruned: targets + earlier.filter { !now.contains(ExactString($0)) },
      quantization: options.quantization.map { Manifest.Quantization(groupSize: $0.groupSize) })
    if let calibration, let (samples, length) = calibrationSize {
      manifest.calibration = Manifest.Calibration(
        source: calibration.source.name, samples: samples, length: length, seed: calibration.seed,
        fingerprint: Fingerprint.unknown)
    }
    return manifest
  }
}

extension Checkpoint {
  /// The names of all linear layers of a model that can be run, in the order in which they run.
  func blockLinears() throws -> [String] {
    try Decoder(self, positions: 1).blocks.flatMap { block in
      type(of: block).stages.flatMap(\.linears).map { block.linear($0).name }
    }
  }
}

extension Duration {
  /// The duration in seconds.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

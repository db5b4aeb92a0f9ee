public import SparseCore
internal import Synchronization

/// Pruning in which no layer has to wait for another: by magnitude, or with saved statistics of the dense model's inputs.
///
/// So any part of the layers can be pruned on any machine. ``PrunedMerge`` puts parts together to the very
/// bytes of the run without parts.
///
/// ```swift
/// let run = try LayerwiseRun(
///   "model", PruneOptions(method: .sparseGPT, output: "part-3.safetensors"),
///   statistics: "statistics.safetensors", selection: .part(part))
/// let report = try run.run()
/// ```
public struct LayerwiseRun: Sendable {
  /// The input.
  public let checkpoint: Checkpoint
  /// What is to be done.
  public let options: PruneOptions
  /// The weights that this run prunes.
  public let targets: [String]
  /// Where the output goes.
  public var outputPath: String {
    switch output {
    case .whole(let output): output.path
    case .part(let output): output.path
    }
  }
  private let output: Output
  private let dense: Checkpoint?
  private let allTargets: [String]
  private let changes: CheckpointChanges
  private let statistics: StatisticsFile?
  private let pruning: StagePruning?
  private let units: [LayerUnit]
  private let otherInputs: [InputStamp]  // what is read besides the checkpoint's weights

  /// What is written.
  private enum Output: Sendable {
    case whole(CheckpointOutput)
    case part(FileOutput)
  }

  /// Opens a checkpoint and checks all that can be checked before the work.
  ///
  /// - Parameters:
  ///   - options: a run of one part needs an ``PruneOptions/output``, a single file. The calibration is not looked at.
  ///   - statistics: the path of complete statistics; nil for methods that look at the weights alone.
  ///   - selection: the part.
  /// - Throws: the errors of opening the files, ``StatisticsError``, ``PartError``, and those of ``PruneRun``.
  public init(
    _ path: String, _ options: PruneOptions, statistics: String?, selection: LayerSelection = .all
  ) throws {
    precondition(
      statistics != nil || options.needs == .none,
      "LayerwiseRun: \(options.methodName) needs statistics")
    checkpoint = try Checkpoint(path: path)
    self.options = options
    dense = try options.dense.map { try Checkpoint(path: $0) }
    let read =
      checkpoint.files.map(\.path) + (dense?.files.map(\.path) ?? [])
      + [statistics].compactMap { $0 }
    if selection == .all {
      let output = try CheckpointOutput(
        options.output, for: checkpoint, force: options.force, shardSize: options.shardSize)
      try read.dropFirst(checkpoint.files.count).forEach(output.spare)
      self.output = .whole(output)
    } else {
      guard let output = options.output else {
        preconditionFailure("LayerwiseRun: a part needs a path")
      }
      self.output = .part(
        try FileOutput(
          output, sparing: read, outside: checkpoint.isFolder ? checkpoint.folder : nil,
          force: options.force))
    }
    otherInputs =
      try [checkpoint.configPath, statistics].compactMap(\.self).map(InputStamp.init(of:))
      + (dense?.stamps ?? [])
    try checkpoint.requireWhole()
    try dense?.requireWhole()
    allTargets = try options.targets(
      in: checkpoint, runsModel: statistics != nil, dense: dense)
    changes = try options.changes(quantizing: allTargets, of: checkpoint)
    let all: [LayerUnit]
    if let statistics {
      let model = try LanguageModel(checkpoint, positions: 1)
      let file = try StatisticsFile(path: statistics)
      let pruning = StagePruning(
        model: model, recipe: options.recipe(dense: dense),
        targets: Set(allTargets.map(ExactString.init)), compute: .automatic)
      try pruning.requireScalable()
      try file.check(for: model, needs: pruning.recipe.needs)
      self.statistics = file
      self.pruning = pruning
      all = LayerUnit.stages(of: model, pruning)
    } else {
      self.statistics = nil
      pruning = nil
      all = LayerUnit.weights(allTargets)
    }
    units = try selection.units(of: all, in: checkpoint)
    targets = units.flatMap(\.targets)
  }

  /// The files that are read.
  package var inputFiles: [String] {
    checkpoint.files.map(\.path)
      + [checkpoint.path, checkpoint.configPath, statistics?.path]
      .compactMap { $0 } + (dense?.files.map(\.path) ?? [])
  }

  private var isWhole: Bool { if case .whole = output { true } else { false } }

  /// Throws where a file that is read besides the model would be lost.
  package func spare(_ input: String) throws {
    if case .whole(let output) = output { try output.spare(input) }
  }

  /// Prunes, writes the output and renames it into place.
  ///
  /// Whatever goes wrong, nothing is left under the output's name.
  ///
  /// - Throws: the errors of reading, pruning and writing, and what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    let clock = ContinuousClock()
    let start = clock.now
    let fingerprint = CheckpointFingerprint(of: checkpoint)
    var manifest = try options.manifest(of: checkpoint, targets: allTargets)
    manifest.calibration = statistics?.manifest.calibration
    let layers: [LayerReport]
    var inputFingerprint: String?
    switch output {
    case .whole(let output):
      let writer = try CheckpointWriter(
        copying: checkpoint, to: output, changes: changes, workPath: nil,
        fingerprint: fingerprint, others: otherInputs, manifest: manifest.text(for:))
      try checkStatistics(fingerprint, on: compute, progress: progress)
      layers = try prune(
        write: { _ = try writer.write(pruned: $1, as: $0) }, on: compute, progress: progress)
      try writer.copyRemaining(on: compute, progress: progress)
      manifest.inputFingerprint = try writer.fingerprint.text(on: compute, progress: progress)
      inputFingerprint = manifest.inputFingerprint
      try writer.commit(manifest: manifest.text(for:))
    case .part(let output):
      let part = PrunedPart(
        identity: identity(on: compute), pruned: manifest.pruned, targets: allTargets, own: targets,
        tensors: [])
      let writer = try PrunedPartWriter(
        part, tensors: units.flatMap(\.tensors), of: checkpoint, changes: changes,
        manifest: manifest, to: output)
      try checkStatistics(fingerprint, on: compute, progress: progress)
      if statistics == nil, let pruner = options.recipe(dense: dense).groupPruner {
        layers = try prune(by: pruner, writer, fingerprint, on: compute, progress: progress)
      } else {
        layers = try prune(write: writer.write, on: compute, progress: progress)
      }
      try writer.commit(
        fingerprint, inputs: checkpoint.stamps + otherInputs, on: compute, progress: progress)
    }
    var report = PruneReport(
      method: options.methodName, output: outputPath, seconds: (clock.now - start).seconds,
      peakResidentBytes: ProcessUsage.peakResidentBytes,
      calibration: manifest.calibration.map {
        ($0, errorTokens: pruning?.recipe.needs == .gram ? $0.samples * $0.length : 0)
      },
      layers: layers, options: options, inputFingerprint: inputFingerprint,
      sizes: isWhole
        ? CheckpointSizes(
          of: checkpoint, changes, pruned: layers.filter { !$0.isDense }.map(\.name))
        : nil)
    report.leftAlone = try checkpoint.leftAlone()
    return report
  }

  /// Throws unless the statistics are of the very model.
  private func checkStatistics(
    _ fingerprint: CheckpointFingerprint, on compute: Compute, progress: ProgressHandler
  ) throws {
    let source = dense ?? checkpoint
    let known = dense == nil ? fingerprint : CheckpointFingerprint(of: source)
    try statistics?.check(
      isOf: source, fingerprint: known.text(on: compute, progress: progress))
  }

  /// Prunes this run's layers.
  private func prune(
    write: @escaping (_ name: String, _ tensor: StoredMatrix) throws -> Void,
    on compute: Compute, progress: ProgressHandler
  ) throws -> [LayerReport] {
    if let statistics, let pruning {
      return try StatisticsPruning(pruning: pruning.on(compute), statistics: statistics)
        .run(units, write: write, progress: progress)
    }
    var layers: [LayerReport] = []
    try WeightwisePruning(
      checkpoint: checkpoint, recipe: options.recipe(dense: dense), targets: targets,
      compute: compute
    ).run(
      write: {
        try write($0, $1)
        return []
      }, finished: { _, _, layer in layers += [layer].compactMap { $0 } }, progress: progress)
    return layers
  }

  /// Prunes this run's weights piece by piece.
  private func prune(
    by pruner: any GroupPruner, _ writer: PrunedPartWriter, _ fingerprint: CheckpointFingerprint,
    on compute: Compute, progress: ProgressHandler
  ) throws -> [LayerReport] {
    let clock = ContinuousClock()
    let start = clock.now
    let values = Mutex<[ExactString: MaskedValues]>([:])
    let tensors = try targets.map { try checkpoint.tensor($0) }
    let pieces = tensors.flatMap { tensor in
      (0..<TensorPiece.count(of: tensor)).map { checkpoint.piece($0, of: tensor) }
    }
    try checkpoint.take(pieces, step: "prune", on: compute, progress: progress) { piece, scratch in
      fingerprint.add(piece)
      let masked = UnsafeMutableRawBufferPointer(rebasing: scratch[..<piece.bytes.count])
      let found = try checkpoint.prune(piece, by: pruner, into: masked, kernels: compute.kernels)
      values.withLock { $0[ExactString(piece.tensor.name), default: MaskedValues()] += found }
      try writer.write(UnsafeRawBufferPointer(masked), as: piece.tensor.name, at: piece.offset)
    }
    let seconds = (clock.now - start).seconds / Double(max(1, targets.count))
    let held = values.withLock { $0 }
    return tensors.map { tensor in
      let values = held[ExactString(tensor.name)] ?? MaskedValues()
      return LayerReport(
        name: tensor.name, shape: tensor.shape, seconds: seconds,
        sparsity: Double(values.zeros) / Double(max(1, tensor.shape.reduce(1, *))),
        patterns: values.patterns)
    }
  }

  /// All that the whole output depends on but its tensors, which are compared one by one.
  private func identity(on compute: Compute) -> RunIdentity {
    var identity = RunIdentity()
    identity.add("the version of \(Tool.name)", Tool.version)
    identity.add(options)
    identity.add("the choice of weights", Fingerprint.text(of: allTargets))
    if let statistics {
      identity.add("the kernel set", compute.kernels.name)
      identity.add("--statistics", Fingerprint.text(of: [statistics.manifest.text]))
      identity.add(
        dense == nil ? PrunedPart.modelName : "--dense", statistics.manifest.model)
    }
    return identity
  }
}

internal import SparseCore

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
  /// The weights that change, in the checkpoint's order: those that will be 2:4, and those that stay dense and become INT8.
  public let targets: [String]
  /// Where the output goes: found free, and fit for the input.
  public let output: CheckpointOutput
  /// The calibration that will be used; nil for none.
  public let calibration: CalibrationOptions?
  let model: LanguageModel?
  let dense: Checkpoint?
  /// The files that are read besides the checkpoint's weights, as they were before they were read.
  let otherInputs: [InputStamp]
  let changes: CheckpointChanges
  /// How much is read between two entries in the journal where tensors are pruned one by one: each entry waits
  /// for the disk, so that what it speaks of is there.
  var journalStretch = 4 << 30
  let givenTokens: TokenWindows?  // nil where the model is to write them, too

  /// Opens a checkpoint and checks all that can be checked before the work.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the checkpoint and of reading calibration tokens,
  ///   ``SelectionError``, and ``LayerError`` for a weight whose inputs are not a multiple of 4.
  public init(_ path: String, _ options: PruneOptions) throws {
    try self.init(path, options, tokens: nil)
  }

  /// The same with calibration tokens that are there already, as the options' calibration gives them.
  init(_ path: String, _ options: PruneOptions, tokens: TokenWindows?) throws {
    checkpoint = try Checkpoint(path: path)
    self.options = options
    calibration = options.calibration ?? (options.runsModel ? CalibrationOptions() : nil)
    // An output that is complete but for the end of its run is no obstacle to that end.
    let isDone =
      try options.resumes
      && RunFolder.isDone(CheckpointOutput.path(options.output, for: checkpoint))
    output = try CheckpointOutput(
      options.output, for: checkpoint, force: options.force || isDone,
      shardSize: options.shardSize)
    try calibration?.source.path.map(output.spare)
    dense = try options.dense.map { try Checkpoint(path: $0) }
    try dense?.files.map(\.path).forEach(output.spare)
    let texts = [checkpoint.configPath, checkpoint.tokenizerPath, calibration?.source.path]
    otherInputs = try texts.compactMap(\.self).map(InputStamp.init(of:)) + (dense?.stamps ?? [])
    try checkpoint.requireWhole()
    try dense?.requireWhole()

    if options.reconstruction != nil && options.quantization != nil {
      throw TrainingError.reconstructsInt8
    }
    targets = try options.targets(
      in: checkpoint, runsModel: calibration != nil, dense: dense)
    changes = try options.changes(quantizing: targets, of: checkpoint)
    guard let calibration else {
      model = nil
      givenTokens = nil
      return
    }
    let configuration = try ModelConfiguration(checkpoint)
    let length = calibration.length(context: configuration.contextLength)
    let model = try LanguageModel(checkpoint, positions: length)
    self.model = model
    try StagePruning(
      model: model, recipe: options.recipe(dense: dense),
      targets: Set(targets.map(ExactString.init)), compute: .automatic
    ).requireScalable()
    givenTokens = try tokens ?? calibration.readTokens(for: model)
    // The tokens are held at once, whatever else is not.
    let samples = calibrationSize?.samples ?? 0
    try PhysicalMemory.require(
      Double(samples) * Double(length) * 16,
      for: "calibration with \(samples.counting("sequence")) of \(length.counting("token"))")
  }

  /// The tensors' bytes in the output.
  package var outputBytes: Int { changes.byteCount(of: checkpoint) }

  /// The bytes of hidden states that a run keeps beside its output to be resumed with.
  package var journalBytes: Int {
    guard let model, let (samples, length) = calibrationSize else { return 0 }
    return HiddenStates.byteCount(tokens: samples * length, width: model.configuration.width)
  }

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
}

extension Checkpoint {
  /// The names of all linear layers of a model that can be run, in the order in which they run.
  func blockLinears() throws -> [String] {
    try LanguageModel(self, positions: 1).blocks.flatMap { block in
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

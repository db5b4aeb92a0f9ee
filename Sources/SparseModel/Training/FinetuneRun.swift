internal import SparseCore

/// One 2:4 checkpoint whose kept weights are trained: opened and checked when made, trained and written by ``run(on:progress:)``.
///
/// ```swift
/// let run = try FinetuneRun("model-2of4", FinetuneOptions(dense: "model"))
/// let report = try run.run()
/// ```
///
/// Every mask holds: of each four neighbours in a row of a 2:4 layer, the two that are 0 stay exactly 0 (of more than two
/// zeros, the first ones are trained). Masters and all arithmetic are float32; the output has the input's types.
public struct FinetuneRun: Sendable {
  /// The input.
  public let checkpoint: Checkpoint
  /// What is to be done.
  public let options: FinetuneOptions
  /// The weights that stay 2:4, in the order in which they run.
  public let sparse: [String]
  /// Where the output goes: found free, and fit for the input.
  public let output: CheckpointOutput
  /// The names of all tensors that are trained.
  let trained: [String]
  let model: LanguageModel
  /// The teacher, or only the writer of the text.
  let dense: LanguageModel?
  /// The tokens in a window of the text.
  let length: Int
  let givenTokens: TokenWindows?  // nil where the model is to write them
  let otherInputs: [InputStamp]

  /// Opens the checkpoints and checks all that can be checked before the work.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the checkpoints and of reading the text, ``TrainingError``, and
  ///   ``SelectionError`` for frozen tensors that are not there.
  public init(_ path: String, _ options: FinetuneOptions) throws {
    checkpoint = try Checkpoint(path: path)
    self.options = options
    // An output that is complete but for the end of its run is no obstacle to that end.
    let isDone =
      try options.resumes
      && RunFolder.isDone(
        CheckpointOutput.path(options.output, for: checkpoint, suffix: Self.suffix))
    output = try CheckpointOutput(
      options.output, for: checkpoint, suffix: Self.suffix, force: options.force || isDone,
      shardSize: options.shardSize)
    try options.data.source.path.map(output.spare)
    let context = try ModelConfiguration(checkpoint).contextLength
    length = try options.windowLength(context: context)
    model = try LanguageModel(checkpoint, positions: max(length, options.heldOut?.length ?? 0))
    try checkpoint.requireFloatingPoint()
    sparse = try Self.sparseWeights(of: checkpoint)
    trained = try model.trainedTensors(
      but: options.frozen, blocksAlone: options.reconstruction != nil)

    if let path = options.dense {
      let dense = try Checkpoint(path: path)
      try dense.files.map(\.path).forEach(output.spare)
      if try options.needsTeacher && checkpoint.isSame(as: dense) {
        throw TrainingError.ownTeacher(path: checkpoint.path)
      }
      self.dense = try LanguageModel(dense, positions: model.positions)
      try model.requireShape(of: self.dense)
    } else if options.needsTeacher {
      throw TrainingError.noTeacher(objective: options.objectiveName)
    } else {
      dense = nil
    }
    let writer = dense ?? model
    givenTokens = try options.readText(length: length, for: writer)
    let texts = [checkpoint.configPath, checkpoint.tokenizerPath, options.data.source.path]
    otherInputs =
      try texts.compactMap(\.self).map(InputStamp.init(of:)) + (dense?.checkpoint.stamps ?? [])
  }

  private static let suffix = "trained"

  /// The weights that are 2:4 and are to stay it: those that the manifest promises, or else all that are.
  private static func sparseWeights(of checkpoint: Checkpoint) throws -> [String] {
    let linears = try checkpoint.blockLinears()
    let promised = try checkpoint.promisedWeights().map { Set($0.map { ExactString($0) }) }
    let meant = promised.map { names in linears.filter { names.contains(ExactString($0)) } }
    let sparse = try checkpoint.sparseWeights(among: meant ?? linears)
    if let meant, let name = meant.first(where: { !sparse.contains($0) }) {
      _ = try TrainingParameters([name], of: checkpoint, on: .automatic) { _ in true }
    }
    guard !sparse.isEmpty else { throw TrainingError.nothingSparse(path: checkpoint.path) }
    return sparse
  }
}

extension Checkpoint {
  /// Whether another checkpoint is in the same files.
  fileprivate func isSame(as other: Checkpoint) throws -> Bool {
    try files.map { try FileSystem.identity(of: $0.path) }
      == other.files.map { try FileSystem.identity(of: $0.path) }
  }

  /// A tensor of a model, a vector as a matrix of one row.
  func stored(_ name: String) throws -> StoredMatrix {
    self[name]?.shape.count == 1 ? try vector(name) : try weight(name)
  }

  /// Throws where weights are INT8 or compressed.
  func requireFloatingPoint() throws {
    for tensor in try modelTensors() where tensor.isCompressed || tensor.dtype == .i8 {
      throw TrainingError.notFloatingPoint(tensor: tensor.name, path: path)
    }
  }
}

extension LanguageModel {
  /// The names of all tensors that take part, but for those that globs freeze.
  func trainedTensors(but frozen: [String], blocksAlone: Bool = false) throws -> [String] {
    var names = blocks.flatMap(\.tensorNames)
    if !blocksAlone {
      names.insert(self.names.embedding, at: 0)
      names.append(self.names.finalNorm)
      if !configuration.tiesEmbeddings { names.append(outputProjectionName) }
    }
    do {
      return try WeightSelection(skip: frozen).apply(to: names)
    } catch SelectionError.nothingLeft {
      throw TrainingError.nothingTrained(path: checkpoint.path)
    }
  }

  /// Throws ``LayerError`` for the first of some tensors that holds NaN or infinity.
  func requireFinite(_ names: [String], on compute: Compute = .automatic) throws {
    for name in names {
      defer { checkpoint.release(name) }
      let bad = try Matrix(checkpoint.stored(name), on: compute).countNotFinite(on: compute)
      guard bad == 0 else {
        throw LayerError(
          layer: name, model: checkpoint.path, reason: .nonFiniteWeights(count: bad))
      }
    }
  }

  /// Throws unless another model has this one's vocabulary and shape.
  func requireShape(of dense: LanguageModel?) throws {
    guard let dense else { return }
    let (ours, theirs) = (configuration, dense.configuration)
    let pairs = [
      ("a vocabulary of", ours.vocabulary, theirs.vocabulary),
      ("a width of", ours.width, theirs.width),
      ("blocks:", ours.blocks, theirs.blocks), ("attention heads:", ours.heads, theirs.heads),
      ("key and value heads:", ours.keyValueHeads, theirs.keyValueHeads),
      ("a head width of", ours.headWidth, theirs.headWidth),
      ("an MLP width of", ours.mlpWidth, theirs.mlpWidth),
    ]
    for (what, value, denseValue) in pairs where value != denseValue {
      throw TrainingError.otherShape(
        what: what, path: checkpoint.path, value: value, dense: dense.checkpoint.path,
        denseValue: denseValue)
    }
  }
}

extension DecoderBlock {
  /// The names of all tensors: norms, weights and biases, in the order in which they are used.
  var tensorNames: [String] {
    Self.stages.flatMap { stage in
      [inputNorm(of: stage)].compactMap(\.self)
        + stage.linears.map(linear).flatMap { [$0.name] + [$0.biasName].compactMap(\.self) }
    }
  }
}

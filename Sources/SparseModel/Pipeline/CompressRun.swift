public import SparseCore

/// What a run of compressing or expanding is asked to do.
public struct EncodingOptions: Sendable {
  /// Which weights change their form.
  public var selection: WeightSelection
  /// Where the output goes; nil for the usual place beside the input.
  public var output: String?
  /// Whether an existing output is replaced.
  public var force: Bool
  /// The bytes of tensors that a file of an output folder has at most; nil for the files of the input.
  public var shardSize: Int?

  /// The defaults of the command line.
  public init(
    selection: WeightSelection = WeightSelection(), output: String? = nil, force: Bool = false,
    shardSize: Int? = nil
  ) {
    self.selection = selection
    self.output = output
    self.force = force
    self.shardSize = shardSize
  }
}

/// One checkpoint on its way to compressed 2:4 weights: opened and checked when made, written by ``run(on:progress:)``.
///
/// In place of each 2:4 weight `P.weight` come its kept values `P.compressed`, their places `P.bitmask` and
/// `P.shape`: the layout `sparse-24-bitmask` of compressed-tensors 0.9 to 0.14. All other tensors are copied.
///
/// ```swift
/// let report = try CompressRun("model-2of4", EncodingOptions(output: "model-small")).run()
/// print(report.outputBytes, "of", report.inputBytes)
/// ```
public struct CompressRun: Sendable {
  /// The input.
  public let checkpoint: Checkpoint
  /// The weights that are compressed, in the checkpoint's order.
  public let targets: [String]
  /// Where the output goes: found free, and fit for the input.
  public let output: CheckpointOutput
  private let manifest: Manifest?
  private let changes: CheckpointChanges

  /// Opens a checkpoint and checks all that can be checked before the work.
  ///
  /// The weights are those that the checkpoint's manifest promises to be 2:4. Without a manifest they are
  /// the linear layers inside the decoder blocks, and of those, unless globs pick some, the ones that are 2:4.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the checkpoint, ``SelectionError``, and ``EncodingError`` where
  ///   there is nothing to compress.
  public init(
    _ path: String, _ options: EncodingOptions = EncodingOptions(),
    on compute: Compute = .automatic
  ) throws {
    try self.init(path, options, suffix: "compressed", mayBeNone: false, on: compute)
  }

  /// - Parameter mayBeNone: whether a checkpoint in which all is compressed already is just copied.
  init(
    _ path: String, _ options: EncodingOptions, suffix: String, mayBeNone: Bool,
    on compute: Compute
  ) throws {
    checkpoint = try Checkpoint(path: path)
    output = try CheckpointOutput(
      options.output, for: checkpoint, suffix: suffix, force: options.force,
      shardSize: options.shardSize)
    manifest = try checkpoint.manifest()
    let compressed = Set(
      try checkpoint.modelTensors().filter(\.isCompressed).map { ExactString($0.name) })
    let candidates = try (manifest?.pruned ?? checkpoint.blockWeights()).filter {
      !compressed.contains(ExactString($0))
    }
    if candidates.isEmpty && !compressed.isEmpty && mayBeNone {
      targets = []
      changes = try CompressedTensors.changes(compressing: [], of: checkpoint)
      return
    }
    guard !candidates.isEmpty else {
      throw compressed.isEmpty
        ? try checkpoint.noCandidates() : EncodingError.compressedAlready(path: path)
    }
    var targets = try options.selection.apply(to: candidates)
    if manifest == nil && options.selection.isDefault {
      targets = try checkpoint.sparseWeights(among: targets, on: compute)
      guard !targets.isEmpty else {
        throw EncodingError.nothingSparse(path: path, weights: candidates.count)
      }
    }
    self.targets = targets
    changes = try CompressedTensors.changes(compressing: targets, of: checkpoint)
  }

  /// Compresses, writes the output and renames it into place.
  ///
  /// Whatever goes wrong, nothing is left under the output's name. Memory holds a piece of a weight a thread.
  ///
  /// - Throws: the errors of reading and writing, ``EncodingError`` for a weight that is not 2:4, and
  ///   what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> EncodingReport {
    var manifest =
      self.manifest
      ?? Manifest(method: "compress", inputFingerprint: Fingerprint.unknown, pruned: [])
    let promised = Set(manifest.pruned.map(ExactString.init))
    manifest.pruned += targets.filter { !promised.contains(ExactString($0)) }
    manifest.encoding = CompressedTensors.sparseFormat
    let result = ReencodedOutput(
      checkpoint: checkpoint, output: output, changes: changes, manifest: manifest)
    return try result.write(targets, on: compute, progress: progress) { writer in
      let weights = try targets.map { try checkpoint.tensor($0) }
      try RowPieces(weights.map { ($0.name, $0.shape, $0.dtype.weightType) })
        .forEach(step: "compress", on: compute, progress: progress, release: checkpoint.release) {
          try compress($0, $1, to: writer, kernels: compute.kernels)
        }
      for weight in weights {
        try writer.write(
          ByteView(int64s: weight.shape), as: CompressedTensors.shapeName(of: weight.name))
      }
    }
  }

  /// Compresses and writes some rows of a weight.
  private func compress(
    _ piece: RowPieces.Piece, _ scratch: UnsafeMutableRawBufferPointer,
    to writer: CheckpointWriter, kernels: KernelSet
  ) throws {
    let (layout, rows) = (piece.layout, piece.rows)
    let weight = try checkpoint.bytes(of: piece.name)[layout.dense(of: rows)]
    let valueBytes = rows.count * layout.valueBytes
    let values = UnsafeMutableRawBufferPointer(rebasing: scratch[..<valueBytes])
    let mask = UnsafeMutableRawBufferPointer(
      rebasing: scratch[valueBytes..<valueBytes + rows.count * layout.maskBytes])
    let violations = weight.withUnsafeBytes {
      layout.compress($0, filler: .compressedTensors, values: values, mask: mask, kernels: kernels)
    }
    if violations > 0,
      let first = GroupViolation(
        firstIn: weight, type: layout.type, rows: rows.count, columns: layout.columns,
        firstRow: rows.lowerBound)
    {
      throw EncodingError.weight(
        name: piece.name, path: checkpoint.path, reason: .notTwoOfFour(first))
    }
    try writer.write(
      UnsafeRawBufferPointer(values), as: CompressedTensors.valuesName(of: piece.name),
      at: layout.values(of: rows).lowerBound)
    try writer.write(
      UnsafeRawBufferPointer(mask), as: CompressedTensors.maskName(of: piece.name),
      at: layout.mask(of: rows).lowerBound)
  }
}

public import SparseCore

/// One checkpoint with compressed 2:4 weights on its way back to whole ones: opened and checked when made, written by ``run(on:progress:)``.
///
/// Every weight comes back as it was before ``CompressRun``, bit for bit, but that −0.0 has become +0.0.
public struct ExpandRun: Sendable {
  /// The input.
  public let checkpoint: Checkpoint
  /// The weights that are expanded, in the checkpoint's order.
  public var targets: [String] { weights.map(\.name) }
  /// Where the output goes: found free, and fit for the input.
  public let output: CheckpointOutput
  private let weights: [ModelTensor]
  private let manifest: Manifest?
  private let changes: CheckpointChanges

  /// Opens a checkpoint and checks all that can be checked before the work.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the checkpoint, ``CompressedWeightError`` where the parts of a weight
  ///   do not belong together, ``SelectionError``, and ``EncodingError`` where there is nothing to expand.
  public init(_ path: String, _ options: EncodingOptions = EncodingOptions()) throws {
    try self.init(path, options, suffix: "expanded", mayBeNone: false)
  }

  /// - Parameter mayBeNone: whether a checkpoint in which nothing is compressed is just copied.
  init(_ path: String, _ options: EncodingOptions, suffix: String, mayBeNone: Bool) throws {
    checkpoint = try Checkpoint(path: path)
    output = try CheckpointOutput(
      options.output, for: checkpoint, suffix: suffix, force: options.force,
      shardSize: options.shardSize)
    manifest = try checkpoint.manifest()
    let compressed = try checkpoint.modelTensors().filter(\.isCompressed)
    guard !compressed.isEmpty || mayBeNone else {
      throw EncodingError.nothingCompressed(path: path)
    }
    if compressed.isEmpty {
      weights = []
      changes = try CompressedTensors.changes(expanding: [], of: checkpoint)
      return
    }
    let selected = Set(
      try options.selection.apply(to: compressed.map(\.name)).map(ExactString.init))
    weights = compressed.filter { selected.contains(ExactString($0.name)) }
    changes = try CompressedTensors.changes(expanding: weights, of: checkpoint)
  }

  /// Expands, writes the output and renames it into place.
  ///
  /// Whatever goes wrong, nothing is left under the output's name. Memory holds a piece of a weight a thread.
  ///
  /// - Throws: the errors of reading and writing, ``CompressedWeightError`` for a mask that does not keep
  ///   two of every four, and what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> EncodingReport {
    var manifest =
      self.manifest
      ?? Manifest(method: "expand", inputFingerprint: Fingerprint.unknown, pruned: targets)
    if weights.count == (try checkpoint.modelTensors().count(where: \.isCompressed)) {
      manifest.encoding = nil
    }
    let result = ReencodedOutput(
      checkpoint: checkpoint, output: output, changes: changes, manifest: manifest)
    return try result.write(targets, on: compute, progress: progress) { writer in
      try RowPieces(weights.map { ($0.name, $0.shape, $0.dtype.weightType) })
        .forEach(
          step: "expand", on: compute, progress: progress,
          release: { checkpoint.release(CompressedTensors.valuesName(of: $0)) }
        ) {
          try expand($0, $1, to: writer, kernels: compute.kernels)
        }
    }
  }

  /// Expands and writes some rows of a weight.
  private func expand(
    _ piece: RowPieces.Piece, _ scratch: UnsafeMutableRawBufferPointer,
    to writer: CheckpointWriter, kernels: KernelSet
  ) throws {
    let (layout, rows) = (piece.layout, piece.rows)
    let maskName = CompressedTensors.maskName(of: piece.name)
    let values = try checkpoint.bytes(of: CompressedTensors.valuesName(of: piece.name))
    let mask = try checkpoint.bytes(of: maskName)[layout.mask(of: rows)]
    do throws(CompressionError) {
      try layout.check(mask, firstRow: rows.lowerBound)
    } catch {
      throw CompressedWeightError.mask(tensor: maskName, reason: error, path: checkpoint.path)
    }
    let whole = UnsafeMutableRawBufferPointer(
      rebasing: scratch[..<(rows.count * layout.denseBytes)])
    values[layout.values(of: rows)].withUnsafeBytes { values in
      mask.withUnsafeBytes { layout.expand(values, mask: $0, into: whole, kernels: kernels) }
    }
    try writer.write(
      UnsafeRawBufferPointer(whole), as: piece.name, at: layout.dense(of: rows).lowerBound)
  }
}

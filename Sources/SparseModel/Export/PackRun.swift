internal import SparseCore

/// One checkpoint on its way to weights in a library's own form.
struct PackRun: Sendable {
  let output: CheckpointOutput
  let left: [(name: String, reason: MetadataError)]
  private let checkpoint: Checkpoint
  private let form: PackedForm
  private let weights: [(weight: ModelTensor, tensors: [TensorSpec])]
  private let changes: CheckpointChanges

  init(
    _ checkpoint: Checkpoint, _ sparse: [ModelTensor], as form: PackedForm,
    _ options: EncodingOptions, suffix: String, target: String
  ) throws {
    self.checkpoint = checkpoint
    self.form = form
    output = try CheckpointOutput(
      options.output, for: checkpoint, suffix: suffix, force: options.force,
      shardSize: options.shardSize)
    var (weights, left): ([(weight: ModelTensor, tensors: [TensorSpec])], _) = (
      [], [(name: String, reason: MetadataError)]()
    )
    for weight in sparse {
      do throws(MetadataError) {
        let module = CompressedTensors.module(of: weight.name)
        weights.append((weight, try form.tensors(module, weight)))
      } catch {
        left.append((weight.name, error))
      }
    }
    if weights.isEmpty, let first = left.first {
      throw EncodingError.noneFits(target: target, name: first.name, reason: first.reason)
    }
    let leftNames = Set(left.map { ExactString($0.name) })
    changes = try CompressedTensors.changes(
      packing: weights,
      expanding: sparse.filter { $0.isCompressed && leftNames.contains(ExactString($0.name)) },
      of: checkpoint)
    self.weights = weights
    self.left = left
  }

  /// Packs, writes the output and renames it into place.
  ///
  /// Memory holds one weight in three forms.
  func run(on compute: Compute, progress: ProgressHandler) throws -> EncodingReport {
    var manifest =
      try checkpoint.manifest()
      ?? Manifest(method: "export", inputFingerprint: Fingerprint.unknown, pruned: [])
    manifest.encoding = form.name
    let result = ReencodedOutput(
      checkpoint: checkpoint, output: output, changes: changes, manifest: manifest)
    return try result.write(
      weights.map(\.weight.name), on: compute, progress: progress
    ) { writer in
      let total = weights.count + left.count
      for (done, entry) in weights.enumerated() {
        try progress(RunProgress(step: "pack", done: done, total: total))
        try write(entry.weight, as: entry.tensors, to: writer, on: compute)
        checkpoint.release(entry.weight.stored.name)
      }
      for entry in left where checkpoint[entry.name] == nil {
        try writer.write(checkpoint.weight(entry.name).bytes, as: entry.name)
      }
      try progress(RunProgress(step: "pack", done: total, total: total))
    }
  }

  private func write(
    _ weight: ModelTensor, as tensors: [TensorSpec], to writer: CheckpointWriter,
    on compute: Compute
  ) throws {
    let whole = try checkpoint.storedWeight(weight.name).matrix(on: compute)
    let parts: [ByteView]
    do throws(CompressionError) {
      let compressed = try Compressed24(exactly: whole, filler: form.filler, on: compute)
      do throws(MetadataError) {
        parts = try form.bytes(compressed, compute)
      } catch {
        preconditionFailure("\(weight.name) was found to fit: \(error)")
      }
    } catch {
      throw EncodingError.weight(name: weight.name, path: checkpoint.path, reason: error)
    }
    for (tensor, bytes) in zip(tensors, parts) { try writer.write(bytes, as: tensor.name) }
  }
}

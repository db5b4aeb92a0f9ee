internal import SparseCore

/// Writes a part of a pruned checkpoint: the tensors that stand in place of some of the input's.
final class PrunedPartWriter: Sendable {
  private let checkpoint: Checkpoint
  private let tensors: [Checkpoint.Tensor]
  private let file: SafetensorsWriter
  private let output: FileOutput
  private let part: PrunedPart

  /// Creates the file under a temporary name, at its full size.
  ///
  /// - Parameters:
  ///   - part: what it says of itself; fingerprints come later.
  ///   - tensors: the input's tensors that it stands for.
  init(
    _ part: PrunedPart, tensors: [String], of checkpoint: Checkpoint, changes: CheckpointChanges,
    manifest: Manifest, to output: FileOutput
  ) throws {
    self.output = output
    self.checkpoint = checkpoint
    self.tensors = try tensors.map { try checkpoint.tensor($0) }
    var part = part
    part.tensors = tensors.map { ($0, Fingerprint.unknown) }
    self.part = part
    let specs = self.tensors.flatMap { changes[tensor: $0.name] ?? [$0.info.spec] }
    let layout = try SafetensorsHeader(layingOut: specs, metadata: SafetensorsMetadata())
    file = try SafetensorsWriter(
      path: output.path, tensors: specs,
      metadata: [
        "format": "pt", Manifest.key: manifest.text(for: layout.tensors), PrunedPart.key: part.text,
      ])
  }

  /// Writes some bytes of a tensor.
  func write(_ bytes: UnsafeRawBufferPointer, as name: String, at offset: Int) throws(FileError) {
    try file.write(bytes, as: name, at: offset)
  }

  /// Writes a tensor that has been pruned, or has changed with others.
  func write(_ name: String, _ tensor: StoredMatrix) throws {
    try file.write(tensor.bytes, as: name)
    guard let grid = tensor.grid else { return }
    let scaleName = CompressedTensors.scaleName(of: name)
    let place = file.header.tensors.first { $0.name.hasSameBytes(as: scaleName) }
    try file.write(grid.scaleBytes(of: place), as: scaleName)
  }

  /// Copies what has not changed, and finishes the file under its name.
  ///
  /// - Parameter fingerprint: that of the input, as far as it is known.
  func commit(
    _ fingerprint: CheckpointFingerprint, inputs: [InputStamp], on compute: Compute,
    progress: ProgressHandler
  ) throws {
    for tensor in file.unwritten {
      try file.write(checkpoint.bytes(of: tensor.name), as: tensor.name)
    }
    try fingerprint.takeMissing(tensors, on: compute, progress: progress)
    var part = part
    part.tensors = tensors.map { ($0.name, fingerprint.content(of: $0)) }
    var metadata = file.header.metadata
    metadata[PrunedPart.key] = part.text
    try inputs.check()
    try output.commit(file, metadata: metadata)
  }

  /// The size of the file.
  var byteCount: Int { file.header.fileByteCount }
}

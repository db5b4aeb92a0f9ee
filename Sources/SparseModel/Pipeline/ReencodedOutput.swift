internal import SparseCore

/// A checkpoint in which some weights are kept in another form, and all else is as it was.
struct ReencodedOutput {
  let checkpoint: Checkpoint
  let output: CheckpointOutput
  let changes: CheckpointChanges
  /// What the output says of itself; a fingerprint that is not known is taken while it is written.
  let manifest: Manifest

  /// Has the weights written, copies the rest and renames the output into place.
  ///
  /// - Parameters:
  ///   - weights: the names of the weights that change their form.
  ///   - body: writes all that is not in the input.
  /// - Throws: the errors of reading and writing, and what `body` and `progress` throw; then nothing is left.
  func write(
    _ weights: [String], on compute: Compute, progress: ProgressHandler,
    _ body: (CheckpointWriter) throws -> Void
  ) throws -> EncodingReport {
    let clock = ContinuousClock()
    let start = clock.now
    var manifest = manifest
    let writer = try CheckpointWriter(
      copying: checkpoint, to: output, changes: changes, manifest: manifest.text(for:))
    try body(writer)
    try writer.copyRemaining(on: compute, progress: progress)
    if manifest.inputFingerprint == Fingerprint.unknown {
      manifest.inputFingerprint = try writer.fingerprint.text(on: compute)
    }
    try writer.commit(manifest: manifest.text(for:))
    return EncodingReport(
      weights: weights, inputBytes: checkpoint.byteCount,
      outputBytes: changes.byteCount(of: checkpoint), output: output.path,
      seconds: (clock.now - start).seconds, peakResidentBytes: ProcessUsage.peakResidentBytes)
  }
}

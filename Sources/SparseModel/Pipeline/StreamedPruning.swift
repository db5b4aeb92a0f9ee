internal import SparseCore
internal import Synchronization

/// Prunes by magnitude while copying: every tensor is read once, a piece at a time on every thread, and
/// weights are masked on the way.
///
/// For methods that look at nothing but the weights. Memory holds one piece a thread.
struct StreamedPruning {
  let checkpoint: Checkpoint
  let targets: [String]
  let writer: CheckpointWriter
  let compute: Compute

  /// What has been done to one weight so far.
  private struct Tally {
    var zeros = 0
    /// Of every thread that worked on it.
    var seconds = 0.0
  }

  /// Writes all tensors, the targets pruned.
  ///
  /// A layer's seconds are those of its threads over their number, so that layers add up to the whole.
  func run(progress: ProgressHandler) throws -> [LayerReport] {
    let places = Dictionary(
      uniqueKeysWithValues: targets.enumerated().map { (ExactString($1), $0) })
    let tallies = Mutex(Array(repeating: Tally(), count: targets.count))
    let clock = ContinuousClock()
    try writer.takeRemaining(step: "prune", on: compute, progress: progress) { piece, scratch in
      guard let place = places[ExactString(piece.tensor.name)] else {
        return try writer.write(piece)
      }
      let start = clock.now
      let zeros = try prune(piece, scratch)
      let seconds = (clock.now - start).seconds
      tallies.withLock { tallies in
        tallies[place].zeros += zeros
        tallies[place].seconds += seconds
      }
    }
    let results = tallies.withLock { $0 }
    return try zip(targets, results).map { name, tally in
      let weight = try checkpoint.matrix(name)
      return LayerReport(
        name: name, shape: [weight.rows, weight.columns],
        seconds: tally.seconds / Double(compute.threads),
        sparsity: Double(tally.zeros) / Double(max(1, weight.rows * weight.columns)))
    }
  }

  /// Masks and writes a piece of a weight; the number of its zeros afterwards.
  private func prune(_ piece: TensorPiece, _ scratch: UnsafeMutableRawBufferPointer) throws -> Int {
    let name = piece.tensor.name
    let weight = try checkpoint.matrix(name)
    let masked = UnsafeMutableRawBufferPointer(rebasing: scratch[..<piece.bytes.count])
    let zeros: Int
    do throws(PruningError) {
      zeros = try Magnitude.mask(
        piece.bytes.bytes, weight.type, into: masked, kernels: compute.kernels)
    } catch {
      // One piece tells of its own values only.
      let count = weight.countNotFinite(on: Compute(kernels: compute.kernels, threads: 1))
      throw LayerError(
        layer: name, model: checkpoint.path, reason: .nonFiniteWeights(count: count))
    }
    try writer.write(UnsafeRawBufferPointer(masked), as: piece)
    return zeros
  }
}

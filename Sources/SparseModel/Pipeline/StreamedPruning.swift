internal import SparseCore
internal import Synchronization

/// Prunes while copying: every tensor is read once, a piece at a time on every thread, and weights are masked
/// on the way.
///
/// Memory holds one piece a thread.
struct StreamedPruning {
  let checkpoint: Checkpoint
  let pruner: any GroupPruner
  let targets: [String]
  let writer: CheckpointWriter
  let compute: Compute

  /// What has been done to one weight so far.
  private struct Tally {
    var values = MaskedValues()
    /// Of every thread that worked on it.
    var seconds = 0.0
  }

  /// Writes all tensors that have not been written, the targets pruned.
  ///
  /// A layer's seconds are those of its threads over their number, so that layers add up to the whole.
  ///
  /// - Parameter finished: told of each tensor that is written, with what became of a target.
  func run(
    finished: (_ name: String, _ outputs: [String], LayerReport?) throws -> Void,
    progress: ProgressHandler
  ) throws {
    let places = Dictionary(
      uniqueKeysWithValues: targets.enumerated().map { (ExactString($1), $0) })
    let tallies = Mutex(Array(repeating: Tally(), count: targets.count))
    let clock = ContinuousClock()
    func report(_ tensor: Checkpoint.Tensor) -> LayerReport? {
      guard let place = places[ExactString(tensor.name)] else { return nil }
      let tally = tallies.withLock { $0[place] }
      return LayerReport(
        name: tensor.name, shape: tensor.shape, seconds: tally.seconds / Double(compute.threads),
        sparsity: Double(tally.values.zeros) / Double(max(1, tensor.shape.reduce(1, *))),
        patterns: tally.values.patterns)
    }
    try writer.takeRemaining(
      step: "prune", on: compute, progress: progress,
      done: { pieces in
        for piece in pieces where piece.number + 1 == TensorPiece.count(of: piece.tensor) {
          try finished(piece.tensor.name, [piece.tensor.name], report(piece.tensor))
        }
      }
    ) { piece, scratch in
      guard let place = places[ExactString(piece.tensor.name)] else {
        return try writer.write(piece)
      }
      let start = clock.now
      let values = try prune(piece, scratch)
      let seconds = (clock.now - start).seconds
      tallies.withLock { tallies in
        tallies[place].values += values
        tallies[place].seconds += seconds
      }
    }
    for name in targets {
      let tensor = try checkpoint.tensor(name)
      if tensor.byteCount == 0 { try finished(name, [name], report(tensor)) }
    }
  }

  /// Masks and writes a piece of a weight, and says what it holds afterwards.
  private func prune(
    _ piece: TensorPiece, _ scratch: UnsafeMutableRawBufferPointer
  ) throws -> MaskedValues {
    let masked = UnsafeMutableRawBufferPointer(rebasing: scratch[..<piece.bytes.count])
    let values = try checkpoint.prune(piece, by: pruner, into: masked, kernels: compute.kernels)
    try writer.write(UnsafeRawBufferPointer(masked), as: piece)
    return values
  }
}

extension Checkpoint {
  /// Makes a piece of a weight 2:4, and says what it holds afterwards.
  ///
  /// - Parameter masked: as many bytes as the piece has.
  func prune(
    _ piece: TensorPiece, by pruner: any GroupPruner, into masked: UnsafeMutableRawBufferPointer,
    kernels: KernelSet
  ) throws -> MaskedValues {
    let name = piece.tensor.name
    let weight = try matrix(name)
    do throws(PruningError) {
      return try pruner.prune(piece.bytes.bytes, weight.type, into: masked, kernels: kernels)
    } catch {
      // One piece tells of its own values only.
      let count = weight.countNotFinite(on: Compute(kernels: kernels, threads: 1))
      throw LayerError(layer: name, model: path, reason: .nonFiniteWeights(count: count))
    }
  }
}

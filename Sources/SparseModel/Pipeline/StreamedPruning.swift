internal import SparseCore
internal import Synchronization

/// Prunes by magnitude while copying: every weight is read once, masked and written, a piece at a time on every thread.
///
/// For methods that look at nothing but the weights. Memory holds one piece a thread.
struct StreamedPruning {
  let checkpoint: Checkpoint
  let targets: [String]
  let writer: CheckpointWriter
  let compute: Compute

  /// Bytes of weights in a piece: read, masked and written while they are in the second-level cache.
  private static let pieceBytes = 1 << 19

  func run(progress: ProgressHandler) throws -> [LayerReport] {
    let total = try targets.reduce(0) { try $0 + checkpoint.matrix($1).bytes.count }
    var done = 0
    return try targets.map { name in
      try progress(Progress(step: "prune", done: done, total: total))
      let weight = try checkpoint.matrix(name)
      let clock = ContinuousClock()
      let start = clock.now
      let zeros = try prune(name, weight)
      done += weight.bytes.count
      checkpoint.release(name)
      return LayerReport(
        name: name, shape: [weight.rows, weight.columns], seconds: (clock.now - start).seconds,
        sparsity: Double(zeros) / Double(max(1, weight.rows * weight.columns)))
    }
  }

  /// Masks and writes one weight; the number of its zeros afterwards.
  private func prune(_ name: String, _ weight: StoredMatrix) throws -> Int {
    let rowBytes = weight.columns * weight.type.byteCount
    let rows = max(1, Self.pieceBytes / max(1, rowBytes))
    let outcome = Mutex<Result<Int, any Error>>(.success(0))
    Parallel.forEachRange(of: weight.rows, size: rows, threads: compute.threads) { range in
      let piece = Result {
        let masked = try Magnitude.masked(weight.rows(range), kernels: compute.kernels)
        try writer.write(masked.bytes, as: name, at: range.lowerBound * rowBytes)
        return masked.zeros
      }
      outcome.withLock { outcome in
        outcome = outcome.flatMap { count in piece.map { count + $0 } }
      }
    }
    do {
      return try outcome.withLock { try $0.get() }
    } catch let reason as PruningError {
      throw LayerError(layer: name, model: checkpoint.path, reason: reason)
    }
  }
}

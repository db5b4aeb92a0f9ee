internal import SparseCore

extension PruneReport {
  /// Counts the layers' zeros, patterns and scales anew in a checkpoint that has been trained or rounded since.
  ///
  /// - Throws: the errors of reading its weights, and what `progress` throws.
  mutating func count(
    in written: Checkpoint, on compute: Compute, progress: ProgressHandler
  ) throws {
    for index in layers.indices {
      try progress(RunProgress(step: "count zeros", done: index, total: layers.count))
      layers[index].count(try written.weight(layers[index].name), on: compute)
      written.release(layers[index].name)
    }
  }
}

extension LayerReport {
  /// Counts the zeros, patterns and scales of a weight that has been trained or rounded since.
  mutating func count(_ weight: StoredMatrix, on compute: Compute) {
    let check = PatternCheck(weight, countsPatterns: true, on: compute)
    (sparsity, patterns) = (check.sparsity, check.patterns)
    let scales = weight.grid?.scales ?? []
    scaleRange = scales.min().flatMap { least in scales.max().map { least...$0 } }
  }
}

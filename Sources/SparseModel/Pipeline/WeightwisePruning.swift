internal import SparseCore

/// Prunes one whole weight after another without running the model: for what looks at nothing but the weights and changes more than bytes.
struct WeightwisePruning {
  let checkpoint: Checkpoint
  let recipe: StageRecipe
  let targets: [String]
  let compute: Compute

  /// Prunes and writes every target.
  ///
  /// - Parameters:
  ///   - write: writes a weight, and gives the names of the tensors that stand for it.
  ///   - finished: told of each weight that is written.
  func run(
    write: (_ name: String, _ tensor: StoredMatrix) throws -> [String],
    finished: (_ name: String, _ outputs: [String], LayerReport?) throws -> Void,
    progress: ProgressHandler
  ) throws {
    let total = try targets.reduce(0) { try $0 + checkpoint.matrix($1).bytes.count }
    var done = 0
    for name in targets {
      try progress(RunProgress(step: "prune", done: done, total: total))
      let layer = LinearLayer(
        name: name, stored: .whole(try checkpoint.matrix(name)), bias: nil, biasName: nil)
      let clock = ContinuousClock()
      let start = clock.now
      let pruned = try recipe.prune(
        [layer], in: StageSpace(), inputs: .none, model: checkpoint,
        panelsAtOnce: Self.panelsAtOnce(inputs: layer.stored.columns), on: compute)[0]
      let outputs = try write(name, pruned.stored)
      done += layer.weight.bytes.count
      checkpoint.release(name)
      let check = PatternCheck(pruned.stored, countsPatterns: true, on: compute)
      try finished(
        name, outputs,
        LayerReport(
          name: name, shape: [layer.weight.rows, layer.weight.columns],
          seconds: (clock.now - start).seconds,
          sparsity: check.sparsity, patterns: check.patterns, scaleRange: pruned.scaleRange,
          isDense: recipe.keepsDense(layer)))
    }
  }

  /// Panels of rows that are pruned together: 8 MiB of float32.
  static func panelsAtOnce(inputs: Int) -> Int {
    RowSource.rows(inBytes: 8 << 20, columns: inputs) / RowSource.panelRows
  }
}

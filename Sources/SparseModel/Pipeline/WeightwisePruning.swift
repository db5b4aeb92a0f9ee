internal import SparseCore

/// Prunes one whole weight after another without running the model: for what looks at nothing but the weights and changes more than bytes.
struct WeightwisePruning {
  let checkpoint: Checkpoint
  let recipe: StageRecipe
  let targets: [String]
  let compute: Compute

  /// Prunes every target and hands it to `write`.
  func run(
    write: (_ name: String, _ tensor: StoredMatrix) throws -> Void, progress: ProgressHandler
  ) throws -> [LayerReport] {
    let total = try targets.reduce(0) { try $0 + checkpoint.matrix($1).bytes.count }
    var done = 0
    return try targets.map { name in
      try progress(Progress(step: "prune", done: done, total: total))
      let layer = LinearLayer(
        name: name, stored: .whole(try checkpoint.matrix(name)), bias: nil, biasName: nil)
      let clock = ContinuousClock()
      let start = clock.now
      let pruned = try recipe.prune(
        [layer], in: StageSpace(), inputs: .none, model: checkpoint, on: compute)[0]
      try write(name, pruned.stored)
      done += layer.weight.bytes.count
      checkpoint.release(name)
      return LayerReport(
        name: name, shape: [layer.weight.rows, layer.weight.columns],
        seconds: (clock.now - start).seconds,
        sparsity: PatternCheck(pruned.stored, on: compute).sparsity, scaleRange: pruned.scaleRange)
    }
  }
}

internal import SparseCore

/// Prunes layers with saved statistics of the dense model: each stage by itself, in any order, without running the model.
struct StatisticsPruning {
  let pruning: StagePruning
  let statistics: StatisticsFile

  /// Prunes the targets of some units and hands all tensors that change to `write`.
  ///
  /// - Returns: what became of each layer.
  func run(
    _ units: [LayerUnit], write: @escaping (_ name: String, _ tensor: StoredMatrix) throws -> Void,
    progress: ProgressHandler
  ) throws -> [LayerReport] {
    let model = pruning.model
    let own = Set(units.flatMap(\.targets).map(ExactString.init))
    var reports: [LayerReport] = []
    for (index, block) in model.blocks.enumerated() {
      var writes = pruning.writes(of: block, to: write)
      for stage in type(of: block).stages {
        let layers = stage.linears.map(block.linear)
        guard layers.contains(where: { own.contains(ExactString($0.name)) }) else { continue }
        try progress(
          RunProgress(
            step: "block \(index + 1) of \(model.blocks.count), \(stage.name)",
            done: reports.count, total: own.count))
        let key = statistics.manifest.stages.first { $0.block == index && $0.stage == stage.name }
        guard let key else { preconditionFailure("no statistics of \(stage.name) in \(index)") }
        let recipe = pruning.recipe
        var inputs = try statistics.inputs(
          key, needs: recipe.needs, maxima: recipe.smoothing != nil)
        let calibration = statistics.manifest.calibration
        reports += try pruning.prune(
          stage, of: block, index: index, inputs: &inputs,
          sampleTokens: calibration.samples * calibration.length, writes: &writes
        ).map(\.report)
        for layer in layers { model.checkpoint.release(layer.name) }
      }
      Allocator.returnFreedMemory()
    }
    return reports
  }
}

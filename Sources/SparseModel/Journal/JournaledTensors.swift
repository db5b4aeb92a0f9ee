internal import SparseCore

/// Prunes tensor by tensor and notes from time to time which are done, or goes on after those that an earlier run has done.
struct JournaledTensors {
  let checkpoint: Checkpoint
  let targets: [String]
  let recipe: StageRecipe
  let folder: RunFolder
  let writer: CheckpointWriter
  let compute: Compute
  /// How much is read between two entries.
  let stretch: Int

  /// Prunes what is left to prune; what became of all weights.
  func run(progress: ProgressHandler) throws -> [LayerReport] {
    var layers = try keepFinished(progress: progress)
    var done: [FinishedTensor] = []
    var bytes = 0
    func finish(_ name: String, _ outputs: [String], _ layer: LayerReport?) throws {
      let tensor = try checkpoint.tensor(name)
      if let layer { layers[ExactString(name)] = layer }
      done.append(
        FinishedTensor(
          name: name, input: writer.fingerprint.content(of: tensor), outputs: outputs,
          layer: layer))
      bytes += tensor.byteCount
      if bytes >= stretch { try note() }
    }
    func note() throws {
      try writer.synchronize()
      try folder.append(.tensors(done))
      done = []
      bytes = 0
    }
    let remaining = targets.filter { layers[ExactString($0)] == nil }
    if let pruner = recipe.groupPruner {
      try StreamedPruning(
        checkpoint: checkpoint, pruner: pruner, targets: remaining, writer: writer,
        compute: compute
      ).run(finished: finish, progress: progress)
    } else {
      try WeightwisePruning(
        checkpoint: checkpoint, recipe: recipe, targets: remaining, compute: compute
      ).run(
        write: { name, weight in
          let outputs = try writer.write(pruned: weight, as: name)
          try writer.fingerprint.takeMissing(
            [checkpoint.tensor(name)], on: compute, progress: { _ in })
          return outputs
        }, finished: finish, progress: progress)
    }
    try note()
    return targets.compactMap { layers[ExactString($0)] }
  }

  /// Takes what an earlier run has done as done, if the input's tensors are still what they were.
  private func keepFinished(progress: ProgressHandler) throws -> [ExactString: LayerReport] {
    var layers: [ExactString: LayerReport] = [:]
    for case .tensors(let finished) in folder.entries where finished.allSatisfy(isSound) {
      try writer.fingerprint.takeMissing(
        finished.map { try checkpoint.tensor($0.name) }, on: compute, progress: progress)
      for tensor in finished {
        let input = writer.fingerprint.content(of: try checkpoint.tensor(tensor.name))
        guard input == tensor.input else {
          throw JournalError.differs(
            folder: folder.path, part: "tensor \(tensor.name) of \(checkpoint.path)",
            then: tensor.input, now: input)
        }
        tensor.outputs.forEach(writer.keep)
        if let layer = tensor.layer { layers[ExactString(tensor.name)] = layer }
      }
    }
    return layers
  }

  /// Whether an entry speaks of a tensor that there is, and tells of a target what became of it.
  private func isSound(_ tensor: FinishedTensor) -> Bool {
    guard let input = checkpoint[tensor.name], tensor.outputs.allSatisfy(writer.has) else {
      return false
    }
    let isTarget = targets.contains { $0.hasSameBytes(as: tensor.name) }
    return isTarget == (tensor.layer != nil) && tensor.layer.map { $0.shape == input.shape } ?? true
      && tensor.outputs.contains { $0.hasSameBytes(as: tensor.name) }
  }
}

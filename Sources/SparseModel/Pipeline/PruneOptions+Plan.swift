internal import SparseCore

/// What follows from the options of pruning for a checkpoint, whoever does the work.
extension PruneOptions {
  /// The weights of a checkpoint that a run with these options would work on, in order, those that stay dense left out.
  ///
  /// - Throws: ``SelectionError``, ``RefitError``, and ``LayerError`` for a weight that cannot be 2:4.
  package func weights(of checkpoint: Checkpoint) throws -> [String] {
    try targets(
      in: checkpoint, runsModel: runsModel,
      dense: dense.map { try Checkpoint(path: $0) })
  }

  /// The weights that change, in order: those that are pruned, and those of ``keptDense`` that are rounded.
  ///
  /// - Parameters:
  ///   - runsModel: whether it takes a model that can be run, and so only its linear layers.
  ///   - dense: the opened ``dense``.
  /// - Throws: ``SelectionError``, ``RefitError``, and ``LayerError`` for a weight that cannot be 2:4.
  func targets(in checkpoint: Checkpoint, runsModel: Bool, dense: Checkpoint?) throws -> [String] {
    var candidates = runsModel ? try checkpoint.blockLinears() : try checkpoint.blockWeights()
    guard !candidates.isEmpty else { throw try checkpoint.noCandidates() }
    if let dense {
      candidates = try checkpoint.sparseWeights(among: candidates)
      guard !candidates.isEmpty else { throw RefitError.nothingSparse(path: checkpoint.path) }
      try checkpoint.checkMatch(of: candidates, in: dense)
    }
    let selected = try selection.apply(to: candidates)
    let dense = Set(keptDense.map(ExactString.init))
    if let unknown = keptDense.first(where: { name in
      !selected.contains { $0.hasSameBytes(as: name) }
    }) {
      throw SelectionError.notSelected(name: unknown, path: checkpoint.path)
    }
    guard selected.contains(where: { !dense.contains(ExactString($0)) }) else {
      throw SelectionError.nothingSparse(path: checkpoint.path)
    }
    let targets = selected.filter {
      quantization != nil || !dense.contains(ExactString($0))
    }
    for name in targets {
      guard checkpoint[name]?.dtype != .i8 else {
        throw Int8WeightError.alreadyInt8(tensor: name, path: checkpoint.path)
      }
      let columns = try checkpoint.matrix(name).columns
      guard columns % 4 == 0 || dense.contains(ExactString(name)) else {
        throw LayerError(
          layer: name, model: checkpoint.path, reason: .columnsNotMultipleOfFour(columns: columns))
      }
    }
    return targets
  }

  /// What the output has in place of the input's tensors.
  func changes(quantizing targets: [String], of checkpoint: Checkpoint) throws -> CheckpointChanges
  {
    guard let quantization else { return CheckpointChanges() }
    return try CompressedTensors.changes(
      quantizing: targets, of: checkpoint, groupSize: quantization.groupSize)
  }

  /// What is done to each stage.
  func recipe(dense: Checkpoint?) -> StageRecipe {
    StageRecipe(
      pruner: method.pruner(effort: effort), quantization: quantization,
      permutes: permutes ?? (self.dense == nil), smoothing: smoothing,
      refit: dense.map { (Refit(effort: effort), $0) }, dense: Set(keptDense.map(ExactString.init)),
      isStrict: isStrict)
  }

  /// The manifest as far as it is known before the work: fingerprints take their place later.
  func manifest(of checkpoint: Checkpoint, targets: [String]) throws -> Manifest {
    let dense = Set(keptDense.map(ExactString.init))
    let sparse = targets.filter { !dense.contains(ExactString($0)) }
    let now = Set(sparse.map(ExactString.init))
    let earlier = try checkpoint.promisedWeights() ?? []
    return Manifest(
      method: origin?.method ?? methodName, inputFingerprint: Fingerprint.unknown,
      pruned: sparse + earlier.filter { !now.contains(ExactString($0)) },
      quantization: quantization.map { Manifest.Quantization(groupSize: $0.groupSize) },
      training: self.dense == nil ? nil : try checkpoint.manifest()?.training)
  }
}

extension RunIdentity {
  /// Adds what is done to each stage.
  mutating func add(_ options: PruneOptions) {
    add("the method", options.methodName)
    add("--effort", options.effort.rawValue)
    add("--permute", options.permutes?.description)
    add("--quantize", options.quantization.map { _ in "int8" })
    add("--order", options.quantization?.order.rawValue)
    add("--group-size", options.quantization?.groupSize?.description)
    add("--smooth", options.smoothing?.description)
    add("--reconstruct", options.reconstruction.map { "\($0)" })
    add("the weights that stay dense", Fingerprint.text(of: options.keptDense))
  }
}

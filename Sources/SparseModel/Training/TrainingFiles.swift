internal import SparseCore

/// What a run of training keeps on the disk: all that it takes to go on bit for bit, and the weights that measured best.
struct TrainingFiles {
  let folder: RunFolder

  private var path: String { Path.join(folder.path, RunFolder.trainingName) }
  private var statePath: String { Path.join(path, "state.safetensors") }
  private var bestPath: String { Path.join(path, "best.safetensors") }

  private static let logKey = "log"
  private static let ruleKey = "rule"
  private static func moments(_ name: String) -> String { "moments of \(name)" }

  /// Keeps the weights as the best ones so far.
  func keepBest(_ trainer: Trainer) throws {
    try write(weights(of: trainer), to: bestPath)
  }

  /// Keeps where training stands.
  func keep(_ trainer: Trainer) throws {
    let state = trainer.optimizer.state
    let moments = state.parameters.map { (Self.moments($0.name), $0.values) }
    try write(
      weights(of: trainer) + moments, to: statePath,
      metadata: [Self.logKey: trainer.log.json.text(), Self.ruleKey: state.rule])
    try folder.append(.trained(steps: trainer.log.steps.count))
  }

  /// Puts a trainer where an earlier run has kept it; nothing changes where there was none.
  ///
  /// - Throws: ``TrainingError/badState(path:reason:)`` where what is there is no state of this training.
  func restore(_ trainer: inout Trainer, on compute: Compute) throws {
    guard folder.entries.contains(where: { if case .trained = $0 { true } else { false } }) else {
      return
    }
    let file = try SafetensorsFile(path: statePath)
    guard let text = file.metadata[Self.logKey], let rule = file.metadata[Self.ruleKey],
      let log = (try? JSON(parsing: text)).flatMap(TrainingLog.init)
    else {
      throw TrainingError.badState(path: statePath, reason: "its log cannot be read")
    }
    trainer.log = log
    try read(from: file, into: &trainer.parameters, on: compute)
    let state = OptimizerState(
      rule: rule, steps: log.steps.count,
      parameters: try trainer.parameters.names.map { name in
        .init(name: name, values: Matrix(try file.matrix(Self.moments(name)), on: compute))
      })
    do throws(OptimizerError) {
      try trainer.optimizer.restore(state, on: compute)
    } catch {
      throw TrainingError.badState(path: statePath, reason: "\(error)")
    }
  }

  /// The weights that measured best; without measurements the last ones.
  func best(of trainer: Trainer) throws -> [Matrix] {
    guard trainer.heldOut != nil else { return trainer.parameters.values }
    var parameters = trainer.parameters
    try read(from: SafetensorsFile(path: bestPath), into: &parameters, on: trainer.pass.compute)
    return parameters.values
  }

  private func weights(of trainer: Trainer) -> [(String, Matrix)] {
    Array(zip(trainer.parameters.names, trainer.parameters.values))
  }

  private func write(
    _ tensors: [(name: String, values: Matrix)], to path: String,
    metadata: SafetensorsMetadata = SafetensorsMetadata()
  ) throws {
    if !FileSystem.isTaken(self.path) {
      try FileSystem.makeFolder(self.path, finalPath: self.path)
    }
    let writer = try SafetensorsWriter(
      path: path,
      tensors: tensors.map {
        TensorSpec(name: $0.name, dtype: .f32, shape: [$0.values.rows, $0.values.columns])
      }, metadata: metadata)
    for (name, values) in tensors {
      try values.values.withUnsafeBytes { try writer.write($0, as: name, at: 0) }
    }
    try writer.commit()
  }

  private func read(
    from file: SafetensorsFile, into parameters: inout TrainingParameters, on compute: Compute
  ) throws {
    for (place, name) in parameters.names.enumerated() {
      let (stored, value) = (try file.matrix(name), parameters.values[place])
      guard stored.rows == value.rows && stored.columns == value.columns else {
        throw TrainingError.badState(
          path: file.path,
          reason:
            "tensor '\(name)' is \(stored.rows) × \(stored.columns), expected \(value.rows) × \(value.columns)"
        )
      }
      parameters.values[place] = Matrix(stored, on: compute)
      guard parameters.values[place].countNotFinite(on: compute) == 0,
        parameters.masks[place]?.violations(in: parameters.values[place]) ?? 0 == 0
      else {
        throw TrainingError.badState(
          path: file.path, reason: "tensor '\(name)' is not finite, or not 0 where its mask prunes")
      }
    }
  }
}

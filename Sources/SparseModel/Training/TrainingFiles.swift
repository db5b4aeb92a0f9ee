internal import SparseCore

/// What a run of training keeps on the disk: all that it takes to go on bit for bit, and the weights that measured best.
struct TrainingFiles {
  let folder: RunFolder

  private var path: String { Path.join(folder.path, RunFolder.trainingName) }
  private var statePath: String { Path.join(path, "state.safetensors") }
  private var bestPath: String { Path.join(path, "best.safetensors") }

  private static let logKey = "log"
  private static let ruleKey = "rule"
  private static let fingerprintKey = "fingerprint"
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
  /// Whoever removes the folder of these files wants the training to begin anew.
  ///
  /// - Throws: ``TrainingError/badState(path:reason:)`` where a file is not what was written: the steps that it had are
  ///   not made again unasked.
  func restore(_ trainer: inout Trainer, on compute: Compute) throws {
    guard folder.entries.contains(where: { if case .trained = $0 { true } else { false } }),
      FileSystem.isTaken(path)
    else { return }
    let file = try open(statePath)
    if trainer.heldOut != nil { _ = try open(bestPath) }
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
    try read(from: open(bestPath), into: &parameters, on: trainer.pass.compute)
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
    var metadata = metadata
    metadata[Self.fingerprintKey] = Self.fingerprint(
      metadata,
      tensors.map { ($0.name, $0.values.values.withUnsafeBytes { Fingerprint.text(of: $0) }) })
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

  /// Opens what an earlier run, or this one, has written.
  ///
  /// - Throws: ``TrainingError/badState(path:reason:)`` where not every bit of it is as it was written.
  private func open(_ path: String) throws -> SafetensorsFile {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(path: path)
    } catch FileError.missing {
      throw TrainingError.badState(path: path, reason: "it is gone")
    } catch let error as SafetensorsFileError {
      throw TrainingError.badState(path: path, reason: "it is damaged, \(error.reason)")
    }
    let fingerprint = Self.fingerprint(
      file.metadata,
      file.tensors.map {
        ($0.name, file.bytes(of: $0).withUnsafeBytes { Fingerprint.text(of: $0) })
      })
    guard file.metadata[Self.fingerprintKey] == fingerprint else {
      throw TrainingError.badState(path: path, reason: "it is not what was written")
    }
    return file
  }

  /// A fingerprint of all that a file says.
  private static func fingerprint(
    _ metadata: SafetensorsMetadata, _ tensors: [(name: String, fingerprint: String)]
  ) -> String {
    Fingerprint.text(
      of: [logKey, ruleKey].map { metadata[$0] ?? "" }
        + tensors.map { "\($0.name) \($0.fingerprint)" }.sorted())
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
    }
  }
}

internal import SparseCore

extension StatisticsFile {
  /// Throws unless the file holds all that pruning a model needs, and can be of that model.
  ///
  /// Whether it is of its very weights is told by their fingerprint, which takes reading them.
  func check(for model: LanguageModel, needs: StatisticsKind) throws(StatisticsError) {
    guard manifest.isComplete else {
      throw .incomplete(path: path, blocks: manifest.blocks, samples: manifest.samples)
    }
    guard manifest.stages == model.stageKeys(of: 0..<model.blocks.count) else {
      throw .foreignModel(
        path: path, model: model.checkpoint.path, reason: "its blocks and widths are others")
    }
    if needs == .gram, manifest.kind != .gram { throw .normsOnly(path: path) }
  }

  /// Throws unless the file is of a model with this fingerprint.
  func check(isOf model: Checkpoint, fingerprint: String) throws(StatisticsError) {
    guard manifest.model.hasSameBytes(as: fingerprint) else {
      throw .foreignModel(
        path: path, model: model.path,
        reason: "its fingerprint is \(fingerprint), theirs is \(manifest.model)")
    }
  }

  /// What is known of a stage's inputs, as far as it is needed.
  ///
  /// - Throws: ``StatisticsError/badValues(path:tensor:)``.
  func inputs(
    _ stage: StatisticsManifest.StageKey, needs: StatisticsKind, maxima: Bool
  ) throws -> StageInputs {
    defer { release(stage) }
    let largest = maxima ? try self.maxima(stage) : nil
    guard largest?.allSatisfy({ $0.isFinite && $0 >= 0 }) ?? true else {
      throw StatisticsError.badValues(path: path, tensor: stage.maxima)
    }
    return StageInputs(
      statistics: try statistics(stage, needs: needs), sample: nil, maxima: largest)
  }

  private func statistics(
    _ stage: StatisticsManifest.StageKey, needs: StatisticsKind
  ) throws -> InputStatistics {
    let name = manifest.sumsName(stage)
    let statistics: InputStatistics
    switch (needs, manifest.kind) {
    case (.none, _): return .none
    case (.norms, .gram):
      let diagonal = try (0..<stage.inputs).map { input in
        let place = Gram.triangleCount(inputs: input) + input
        let value = try bytes(name, place..<place + 1).bytes.loadUnaligned(as: UInt32.self)
        return Float(bitPattern: UInt32(littleEndian: value))
      }
      statistics = .norms(diagonal.map { $0.squareRoot() })
    case (.norms, _):
      let squares = try bytes(name, 0..<stage.inputs)
      statistics = .norms(
        (0..<stage.inputs).map { input in
          let value = squares.bytes.loadUnaligned(fromByteOffset: 8 * input, as: UInt64.self)
          return Float(Double(bitPattern: UInt64(littleEndian: value)).squareRoot())
        })
    case (.gram, _):
      let tokens = manifest.calibration.samples * manifest.calibration.length
      statistics = .gram(
        Gram(
          inputs: stage.inputs, tokens: tokens,
          triangle: try bytes(name, 0..<manifest.sumCount(stage))))
    }
    guard statistics.norms?.allSatisfy(\.isFinite) ?? true else {
      throw StatisticsError.badValues(path: path, tensor: name)
    }
    return statistics
  }
}

internal import SparseCore

extension CompressedTensors {
  /// What an output has in place of 2:4 weights that are compressed, and what its config.json says of them.
  ///
  /// - Parameter weights: the names of weights that are whole.
  /// - Throws: ``EncodingError`` for what is no two-dimensional weight with groups of four columns,
  ///   ``Int8WeightError`` for codes without usable scales.
  static func changes(
    compressing weights: [String], of checkpoint: Checkpoint
  ) throws -> CheckpointChanges {
    var changes = CheckpointChanges()
    for name in weights {
      let tensor = try checkpoint.tensor(name)
      guard tensor.shape.count == 2, tensor.dtype.holdsWeights else {
        throw EncodingError.notAWeight(
          name: name, dtype: tensor.dtype, shape: tensor.shape, path: checkpoint.path)
      }
      let (rows, columns) = (tensor.shape[0], tensor.shape[1])
      guard columns % 4 == 0 else {
        throw EncodingError.weight(
          name: name, path: checkpoint.path, reason: .columnsNotMultipleOfFour(columns: columns))
      }
      if tensor.dtype == .i8 { _ = try checkpoint.int8Grid(of: name, rows: rows, columns: columns) }
      changes[tensor: name] = [
        TensorSpec(name: valuesName(of: name), dtype: tensor.dtype, shape: [rows, columns / 2]),
        TensorSpec(name: maskName(of: name), dtype: .u8, shape: [rows, (columns + 7) / 8]),
        TensorSpec(name: shapeName(of: name), dtype: .i64, shape: [2, 1]),
      ]
    }
    let already = try checkpoint.modelTensors().filter(\.isCompressed).map(\.name)
    changes.configuration = try configuration(compressed: already + weights, of: checkpoint)
    return changes
  }

  /// What an output has in place of the parts of compressed weights that are expanded.
  ///
  /// - Parameter weights: the names that the weights get.
  static func changes(
    expanding weights: [ModelTensor], of checkpoint: Checkpoint
  ) throws -> CheckpointChanges {
    var changes = CheckpointChanges()
    for weight in weights {
      changes.replace(
        weight, by: [TensorSpec(name: weight.name, dtype: weight.dtype, shape: weight.shape)])
    }
    let expanded = Set(weights.map { ExactString($0.name) })
    let left = try checkpoint.modelTensors().filter {
      $0.isCompressed && !expanded.contains(ExactString($0.name))
    }
    changes.configuration = try configuration(compressed: left.map(\.name), of: checkpoint)
    return changes
  }

  /// What an output has in place of weights that some library takes in its own form, and of compressed ones
  /// that it does not take; config.json says nothing of it.
  static func changes(
    packing weights: [(weight: ModelTensor, tensors: [TensorSpec])],
    expanding others: [ModelTensor], of checkpoint: Checkpoint
  ) throws -> CheckpointChanges {
    var changes = try changes(expanding: others, of: checkpoint)
    for (weight, tensors) in weights { changes.replace(weight, by: tensors) }
    changes.configuration = try configuration(compressed: [], of: checkpoint)
    return changes
  }

  /// What config.json says where some weights are compressed and all others are not.
  private static func configuration(
    compressed: [String], of checkpoint: Checkpoint
  ) throws -> [String: JSON?] {
    let key = "quantization_config"
    var members = try checkpoint.configurationJSON()?[key]?.object ?? []
    members.removeAll { $0.key == "sparsity_config" }
    if compressed.isEmpty {
      // What is left of a config that spoke of nothing else.
      if members.allSatisfy({ $0.key == "quant_method" }) { return [key: JSON?.none] }
      return [key: .object(members)]
    }
    if members.isEmpty { members = [.init(key: "quant_method", value: "compressed-tensors")] }
    let names = Set(compressed.map(ExactString.init))
    let whole = try modules(of: checkpoint) { !names.contains(ExactString($0)) }
    members.append(
      .init(
        key: "sparsity_config",
        value: [
          "format": .string(sparseFormat), "targets": ["Linear"],
          "ignore": .array(whole.map(JSON.string)),
          "global_sparsity": 0.5, "sparsity_structure": "2:4",
          "registry_requires_subclass": false,
        ]))
    return [key: .object(members)]
  }
}

extension CheckpointChanges {
  /// Puts other tensors in the place of a weight, in whichever form it is stored.
  fileprivate mutating func replace(_ weight: ModelTensor, by specs: [TensorSpec]) {
    self[tensor: weight.stored.name] = specs
    guard weight.isCompressed else { return }
    self[tensor: CompressedTensors.maskName(of: weight.name)] = []
    self[tensor: CompressedTensors.shapeName(of: weight.name)] = []
  }
}

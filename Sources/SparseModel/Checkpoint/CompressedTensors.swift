internal import SparseCore

/// The layout in which compressed-tensors keeps INT8 weights, `int-quantized`: where `P.weight` was there are its codes under the same name and their scales as `P.weight_scale`.
///
/// It is what `transformers` and vLLM load: weights in INT8, and activations that are rounded to INT8
/// token by token while they run.
enum CompressedTensors {
  /// The name that config.json has for the layout of compressed 2:4 weights.
  static let sparseFormat = "sparse-24-bitmask"

  /// The name of the scales of a weight.
  static func scaleName(of weight: String) -> String { module(of: weight) + ".weight_scale" }

  /// The name of the zero points that an asymmetric weight would have.
  static func zeroPointName(of weight: String) -> String {
    module(of: weight) + ".weight_zero_point"
  }

  /// The name of the kept values of a compressed weight.
  static func valuesName(of weight: String) -> String { module(of: weight) + valuesEnding }

  /// The name of the mask of a compressed weight.
  static func maskName(of weight: String) -> String { module(of: weight) + ".bitmask" }

  /// The name of the tensor that holds the shape of a compressed weight.
  static func shapeName(of weight: String) -> String { module(of: weight) + ".shape" }

  /// The weight whose kept values a tensor may hold, by its name.
  static func weight(ofValues name: String) -> String? {
    name.hasSuffix(valuesEnding) ? name.dropLast(valuesEnding.count) + ".weight" : nil
  }

  private static let valuesEnding = ".compressed"

  /// What the names of tensors end with, after the module's, that say how a weight or its inputs are quantized.
  static let companionEndings = ["weight", "input", "output"].flatMap {
    [".\($0)_scale", ".\($0)_zero_point"]
  }

  /// The module that a weight belongs to.
  static func module(of weight: String) -> String {
    weight.hasSuffix(".weight") ? String(weight.dropLast(".weight".count)) : weight
  }

  /// The module that scales belong to.
  private static func module(ofScale name: String) -> String {
    String(name.dropLast(scaleName(of: ".weight").count))
  }

  /// What an output has in place of the weights that become INT8, and what its config.json says of them.
  ///
  /// - Parameters:
  ///   - weights: the names of two-dimensional floating-point tensors.
  ///   - groupSize: the number of neighbouring columns that share a scale; nil for whole rows.
  /// - Throws: ``Int8WeightError/alreadyInt8(tensor:path:)`` where the checkpoint has INT8 weights, ``ForeignWeightsError``
  ///   and ``ModelError`` where it is quantized in another way, ``LayerError`` for groups that do not divide a weight's columns.
  static func changes(
    quantizing weights: [String], of checkpoint: Checkpoint, groupSize: Int?
  ) throws -> CheckpointChanges {
    let scaled = checkpoint.tensors.first { checkpoint.isInt8Scale($0.name) }
    if let name = scaled.map({ module(ofScale: $0.name) + ".weight" }) {
      throw Int8WeightError.alreadyInt8(tensor: name, path: checkpoint.path)
    }
    try checkpoint.requireUnquantized()
    for name in try checkpoint.blockWeights() + weights where checkpoint[name]?.dtype == .i8 {
      throw Int8WeightError.alreadyInt8(tensor: name, path: checkpoint.path)
    }
    var changes = CheckpointChanges()
    for name in weights {
      let weight = try checkpoint.matrix(name)
      if let groupSize, !Int8Grid.allows(groupSize: groupSize, columns: weight.columns) {
        throw LayerError(
          layer: name, model: checkpoint.path,
          reason: .quantization(.groupSize(groupSize, columns: weight.columns)))
      }
      let groups = Int8Grid.groups(
        columns: weight.columns, groupSize: groupSize ?? weight.columns)
      changes[tensor: name] = [
        TensorSpec(name: name, dtype: .i8, shape: [weight.rows, weight.columns]),
        TensorSpec(name: scaleName(of: name), dtype: .f32, shape: [weight.rows, groups]),
      ]
    }
    changes.configuration["quantization_config"] = configuration(
      ignoring: try modules(of: checkpoint) { changes[tensor: $0] == nil }, groupSize: groupSize)
    return changes
  }

  /// The modules that a loader would take for quantized ones, or compressed ones, and that are not: `lm_head`, linear
  /// layers inside the blocks, then all other weights of two dimensions that a linear layer may hold.
  ///
  /// - Parameter isLeft: whether the weight of that name stays as it is.
  static func modules(
    of checkpoint: Checkpoint, where isLeft: (_ weight: String) -> Bool
  ) throws -> [String] {
    let linears = try checkpoint.blockWeights()
    let known = Set((linears + ["lm_head.weight"]).map(ExactString.init))
    let others = try checkpoint.roles { $0.holdsWeights }.filter { weight in
      weight.tensor.shape.count == 2 && weight.tensor.name.hasSuffix(".weight")
        && !["embed", "norm", "wte", "wpe"].contains { weight.tensor.name.contains($0) }
        && !known.contains(ExactString(weight.tensor.name))
    }.map(\.tensor.name)
    return ["lm_head"] + (linears.filter(isLeft) + others.filter(isLeft)).map(module(of:))
  }

  /// The `quantization_config` of a model whose linear modules are all INT8 but for those ignored.
  private static func configuration(ignoring modules: [String], groupSize: Int?) -> JSON {
    let strategy: [JSON.Member] =
      groupSize.map {
        [.init(key: "strategy", value: "group"), .init(key: "group_size", value: .integer($0))]
      } ?? [.init(key: "strategy", value: "channel")]
    let weights: [JSON.Member] =
      [
        .init(key: "num_bits", value: 8), .init(key: "type", value: "int"),
        .init(key: "symmetric", value: true),
      ] + strategy + [.init(key: "dynamic", value: false)]
    return [
      "quant_method": "compressed-tensors", "format": "int-quantized",
      "quantization_status": "compressed", "ignore": .array(modules.map(JSON.string)),
      "config_groups": [
        "group_0": [
          "targets": ["Linear"], "weights": .object(weights),
          "input_activations": [
            "num_bits": 8, "type": "int", "symmetric": true, "strategy": "token", "dynamic": true,
          ],
        ]
      ],
    ]
  }
}

extension Checkpoint {
  /// Whether a tensor is, by its name, the scales of an INT8 weight, whole or compressed.
  func isInt8Scale(_ name: String) -> Bool {
    let suffix = ".weight_scale"
    guard name.hasSuffix(suffix) else { return false }
    let weight = String(name.dropLast(suffix.count)) + ".weight"
    return (self[weight] ?? self[CompressedTensors.valuesName(of: weight)])?.dtype == .i8
  }
}

extension Int8Grid {
  /// The scales in the type of the tensor that they are written as.
  ///
  /// A weight that only changes its order keeps the type of its scales, and their values exactly.
  func scaleBytes(of tensor: TensorInfo?) -> ByteView {
    let scales = Matrix(rows: rows, columns: groups, scales)
    return ByteView(copying: scales.storedBytes(as: tensor?.dtype.scalarType ?? .float32))
  }
}

extension CheckpointWriter {
  /// Writes a weight that has been pruned: one tensor, or where it is INT8 its codes and its scales beside them.
  ///
  /// - Returns: the names of the tensors written.
  func write(pruned weight: StoredMatrix, as name: String) throws(FileError) -> [String] {
    try write(weight.bytes, as: name)
    guard let grid = weight.grid else { return [name] }
    let scaleName = CompressedTensors.scaleName(of: name)
    try write(grid.scaleBytes(of: layout[scaleName]), as: scaleName)
    return [name, scaleName]
  }
}

public import SparseCore

/// Weights as the model has them, whichever way the file keeps them: floating-point or INT8, whole or compressed.
extension Checkpoint {
  /// The two-dimensional weight named `name`; a compressed one is expanded, all others stay where they lie.
  ///
  /// - Throws: the errors of ``storedWeight(_:)``.
  public func weight(_ name: String) throws -> StoredMatrix { try storedWeight(name).matrix() }

  /// The two-dimensional weight named `name`, where it lies and as it is stored.
  ///
  /// INT8 codes need their scales: `P.weight_scale` beside `P.weight`, F32, F16 or BF16, one for each row
  /// (`[rows, 1]`) or for each group of neighbouring columns (`[rows, groups]`). A 2:4 weight may lie as
  /// `P.compressed`, `P.bitmask` and `P.shape` instead: the layout `sparse-24-bitmask` of
  /// compressed-tensors.
  ///
  /// - Throws: ``CompressedWeightError`` and ``Int8WeightError`` where these do not belong together,
  ///   besides the errors of ``matrix(_:)``.
  public func storedWeight(_ name: String) throws -> StoredWeight {
    if let compressed = try compressedWeight(name) { return .compressed(compressed) }
    let tensor = try tensor(name)
    guard tensor.dtype == .i8, tensor.shape.count == 2 else { return .whole(try matrix(name)) }
    let grid = try int8Grid(of: name, rows: tensor.shape[0], columns: tensor.shape[1])
    return .whole(StoredMatrix(codes: try bytes(of: name), on: grid))
  }

  /// The shape of the weight named `name`, whole or compressed; nil where there is none.
  func weightShape(_ name: String) throws -> [Int]? {
    if let tensor = self[name] { return tensor.shape }
    return try compressedShape(name)
  }

  /// The tensors as the model has them, in the checkpoint's order: a compressed weight is one of them.
  func modelTensors() throws -> [ModelTensor] {
    var companions: Set<ExactString> = []
    var compressed: [ExactString: ModelTensor] = [:]
    for tensor in tensors {
      guard let name = CompressedTensors.weight(ofValues: tensor.name),
        let shape = try compressedShape(name)
      else { continue }
      compressed[ExactString(tensor.name)] = ModelTensor(
        name: name, dtype: tensor.dtype, shape: shape, stored: tensor, isCompressed: true)
      companions.insert(ExactString(CompressedTensors.maskName(of: name)))
      companions.insert(ExactString(CompressedTensors.shapeName(of: name)))
    }
    return tensors.filter { !companions.contains(ExactString($0.name)) }.map { tensor in
      compressed[ExactString(tensor.name)] ?? ModelTensor(tensor)
    }
  }
}

/// A tensor as the model has it.
struct ModelTensor {
  /// The name: of a compressed weight the one that it would have if it were whole.
  let name: String
  /// The element type.
  let dtype: DType
  /// The dimensions of the whole tensor, slowest first.
  let shape: [Int]
  /// Where it lies: of a compressed weight, its kept values.
  let stored: Checkpoint.Tensor
  /// Whether only the kept half of it is stored.
  let isCompressed: Bool
}

extension ModelTensor {
  /// A tensor that lies there whole.
  init(_ tensor: Checkpoint.Tensor) {
    self.init(
      name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, stored: tensor,
      isCompressed: false)
  }
}

internal import SparseCore
internal import SparseModel
internal import Testing

/// Changes that a model allows around a stage, made to its tensors.
extension EditedModel {
  /// One of the things that a permutation has to move.
  enum Part: String, CaseIterable, Sendable { case columns, firstProducer, lastProducer, biases }

  /// A matrix or a vector of the model, where it is one row.
  func stored(_ name: String) throws -> StoredMatrix? {
    guard let tensor = tensors.first(where: { $0.spec.name == name }) else { return nil }
    let type: [DType: ScalarType] = [.f32: .float32, .f16: .float16, .bf16: .bfloat16]
    let shape = tensor.spec.shape
    return StoredMatrix(
      rows: shape.count == 1 ? 1 : shape[0], columns: shape[shape.count - 1],
      type: try #require(type[tensor.spec.dtype]), bytes: ByteView(copying: tensor.bytes))
  }

  /// Replaces a tensor by another of the same shape, in the number format of the new one.
  mutating func replace(_ name: String, _ new: StoredMatrix?) throws {
    let new = try #require(new)
    let old = try #require(tensors.first { $0.spec.name == name })
    let dtype: [ScalarType: DType] = [.float32: .f32, .float16: .f16, .bfloat16: .bf16]
    put(name, try #require(dtype[new.type]), old.spec.shape, new.bytes.array)
  }

  /// Moves the channels that a stage reads: the columns of its layers, the rows and biases of those that write them.
  mutating func permute(
    _ stage: Stage, of block: any DecoderBlock, by order: ChannelOrder, without missing: Part?
  ) throws {
    let producers = try #require(block.channelFreedom(of: stage)).producers
    if missing != .columns {
      for layer in stage.linears.map(block.linear) {
        try replace(layer.name, stored(layer.name)?.permuted(columns: order.columns))
      }
    }
    for name in producers {
      let layer = block.linear(name)
      if missing == .firstProducer && name == producers.first { continue }
      if missing == .lastProducer && name == producers.last { continue }
      try replace(layer.name, stored(layer.name)?.permuted(rows: order.rows))
      if let bias = layer.biasName, missing != .biases {
        try replace(bias, stored(bias)?.permuted(columns: order.rows))
      }
    }
  }

  /// Divides the inputs of a stage by scales and multiplies its layers' columns by `made up for`.
  ///
  /// The layers become float32, so that they round no more than the arithmetic does.
  mutating func smooth(
    _ stage: Stage, of block: any DecoderBlock, by scales: [Float],
    columns: (SmoothedNorm, String) -> [Float]? = { norm, _ in norm.scales }
  ) throws {
    let name = try #require(block.inputNorm(of: stage))
    let norm = SmoothedNorm(try #require(try stored(name)), dividedBy: scales)
    try replace(name, norm.weight)
    for layer in stage.linears {
      let weight = Matrix(block.linear(layer).weight)
      let factors = columns(norm, layer) ?? scales.map { _ in 1 }
      try replace(block.linear(layer).name, StoredMatrix(weight.scaled(columns: factors)))
    }
  }
}

internal import SparseCore

/// What the training of one block takes of memory, the residual streams of the text left out.
struct BlockTrainingBytes: Sendable {
  /// Upper bound of all of it.
  let bytes: Int

  /// For the largest block of a model, and so many windows together.
  init(_ model: Decoder, windows: Int, length: Int) {
    let tokens = max(windows * length, max(1, 2048 / length) * length)
    bytes =
      model.blocks.map { block in
        let stages = type(of: block).stages.map { $0.linears.map(block.linear) }
        let weights = stages.joined().map { $0.stored.rows * $0.stored.columns }
        // As stored, masters, gradients, moments of half of them, where training began and both packed forms; one
        // at a time is rounded and written.
        let perWeight = 4 * (1 + 1 + 1 + 1 + 1 + 2)
        let weightBytes = perWeight * weights.reduce(0, +) + 4 * (weights.max() ?? 0)
        // Inputs, outputs and their gradients, each once more where a block works in a copy.
        let values = stages.reduce(0) { sum, layers in
          sum + (layers.first?.stored.columns ?? 0)
            + layers.reduce(0) { $0 + $1.stored.rows }
        }
        let perToken = 4 * (3 * values + 12 * model.configuration.width)
        return weightBytes + tokens * perToken
      }.max() ?? 0
  }
}

/// What the training of a whole model takes of memory.
struct ModelTrainingBytes: Sendable {
  /// Upper bound of all of it.
  let bytes: Int

  /// For so many weights, of which some stay 0, and so many windows together.
  ///
  /// - Parameter hasTeacher: whether a dense model's predictions are learnt from.
  init(
    _ model: Decoder, trained: Int, pruned: Int, windows: Int, length: Int, hasTeacher: Bool
  ) {
    let configuration = model.configuration
    let tokens = windows * length
    // Masters, gradients, the moments of what is kept, and in the end the best weights once more.
    let weights = 4 * (3 * trained + 2 * (trained - pruned))
    // The residual stream before each block, and what flows back.
    let streams = 4 * tokens * configuration.width * (model.blocks.count + 3)
    // The output projection, packed for both ways and for the teacher, and the logits of both models with their
    // gradient.
    let heads = 4 * configuration.vocabulary * configuration.width * (hasTeacher ? 3 : 2)
    let logits = OutputHead.mostLogitBytes * (hasTeacher ? 3 : 2)
    let block = BlockTrainingBytes(model, windows: 1, length: length).bytes
    bytes = weights + streams + heads + logits + block * (hasTeacher ? 2 : 1)
  }
}

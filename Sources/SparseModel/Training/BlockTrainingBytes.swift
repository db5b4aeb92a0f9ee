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
        let weights = stages.joined().reduce(0) { $0 + $1.stored.rows * $1.stored.columns }
        // As stored, masters, gradients, moments of half of them, where training began, both packed forms and what
        // is transposed or rounded on the way.
        let perWeight = 4 * (1 + 1 + 1 + 1 + 1 + 2 + 1)
        // Inputs, outputs and their gradients, each once more where a block works in a copy.
        let values = stages.reduce(0) { sum, layers in
          sum + (layers.first?.stored.columns ?? 0)
            + layers.reduce(0) { $0 + $1.stored.rows }
        }
        let perToken = 4 * (3 * values + 12 * model.configuration.width)
        return weights * perWeight + tokens * perToken
      }.max() ?? 0
  }
}

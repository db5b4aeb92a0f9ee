internal import SparseCore

/// What the training of one block takes of memory, the residual streams of the text left out.
struct BlockTrainingBytes: Sendable {
  /// Upper bound of all of it.
  let bytes: Int

  /// For the largest block of a model, and so many windows together.
  ///
  /// - Parameter isSparse: whether a weight is 2:4, so that the optimizer remembers half of it.
  init(
    _ model: LanguageModel, windows: Int, length: Int,
    isSparse: (_ name: String) -> Bool = { _ in true }
  ) {
    let tokens = max(windows * length, max(1, 2048 / length) * length)
    bytes =
      model.blocks.map { block in
        let stages = type(of: block).stages.map { $0.linears.map(block.linear) }
        let weights = stages.joined().map {
          (count: $0.stored.rows * $0.stored.columns, moments: isSparse($0.name) ? 1 : 2)
        }
        // As stored, masters, gradients, two moments of what is kept, where training began and both packed forms; one
        // at a time is rounded and written.
        let weightBytes =
          weights.reduce(0) { $0 + 4 * (1 + 1 + 1 + $1.moments + 1 + 2) * $1.count }
          + 4 * (weights.map(\.count).max() ?? 0)
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

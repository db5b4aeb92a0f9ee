internal import SparseCore

/// What the training of a whole model takes of memory.
struct ModelTrainingBytes: Sendable {
  /// Upper bound of all of it.
  let bytes: Int

  /// For so many weights, of which some stay 0, and so many windows together.
  ///
  /// - Parameter hasTeacher: whether a dense model's predictions are learnt from.
  init(
    _ model: LanguageModel, trained: Int, pruned: Int, windows: Int, length: Int, hasTeacher: Bool
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

extension FinetuneOptions {
  /// What an error says that memory is needed for, where all of the model is trained at once.
  package static let wholeModelPurpose = "training the whole model at once"

  /// What training through the whole model takes of memory, at most.
  ///
  /// - Parameters:
  ///   - trained: the names of the tensors that are trained.
  ///   - sparse: those that are 2:4, or will be.
  func wholeTrainingBytes(
    of model: LanguageModel, trained: [String], sparse: [String], length: Int
  ) -> Int {
    let (all, pruned) = model.checkpoint.weightCounts(of: trained, sparse: sparse)
    return ModelTrainingBytes(
      model, trained: all, pruned: pruned, windows: training.batch, length: length,
      hasTeacher: needsTeacher
    ).bytes
  }

  /// Throws where training through the whole model takes more than the machine has.
  static func requireMemory(_ bytes: Int) throws(MemoryError) {
    try PhysicalMemory.require(Double(bytes), for: wholeModelPurpose)
  }
}

extension Checkpoint {
  /// The weights of some tensors, and how many of them stay 0 where some are 2:4.
  func weightCounts(of trained: [String], sparse: [String]) -> (all: Int, pruned: Int) {
    let isSparse = Set(sparse.map { ExactString($0) })
    return trained.reduce(into: (all: 0, pruned: 0)) { counts, name in
      let count = self[name]?.shape.reduce(1, *) ?? 0
      counts.all += count
      if isSparse.contains(ExactString(name)) { counts.pruned += count / 2 }
    }
  }
}

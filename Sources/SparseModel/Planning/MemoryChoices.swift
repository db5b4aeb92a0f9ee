internal import SparseCore

/// How a run keeps to its memory: none of it changes a bit of what is written.
struct MemoryChoices: Sendable, Equatable {
  /// Tokens whose activations are worked on together, in whole windows.
  var chunkTokens = BatchSize().chunkTokens
  /// Which activations wait in a scratch file.
  var spill = ActivationSpill()
  /// What holds for each stage of a block, by its index; a stage without an entry takes what it likes.
  var stages: [Stage] = []

  /// How one stage is pruned.
  struct Stage: Sendable, Equatable {
    /// Panels of 48 rows that are solved together.
    var panelsAtOnce = Int.max
    /// What the search for an order may take.
    var searchBytes = Int.max
    /// What the product that tells an error may take.
    var stripeBytes = Int.max
    /// Whether weights are laid out for multiplication once and not for every chunk.
    var packsWeights = true
  }

  /// How the stage at `index` is pruned.
  func stage(_ index: Int) -> Stage { stages.indices.contains(index) ? stages[index] : Stage() }
}

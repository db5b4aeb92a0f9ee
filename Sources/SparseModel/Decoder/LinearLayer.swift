package import SparseCore

/// One linear layer of a model: `y = x Wᵀ + b`, with its weight where the checkpoint has it.
package struct LinearLayer: Sendable {
  /// The weight's name in the checkpoint.
  package let name: String
  /// The weight, `outputs × inputs`, as the checkpoint stores it.
  package let stored: StoredWeight
  /// The bias, `outputs` values, where the layer has one.
  package let bias: [Float]?
  /// The bias's name in the checkpoint, where the layer has one.
  package let biasName: String?

  /// The weight with all its values; a compressed one is expanded for it.
  package var weight: StoredMatrix { stored.matrix() }
}

/// The linear layers of a block that read the same input.
package struct Stage: Sendable, Equatable {
  /// The stage's place in its block, from 0.
  package let index: Int
  /// What reports call it.
  package let name: String
  /// The layers' names within the block, in the order of their outputs.
  package let linears: [String]
}

public import SparseCore

/// The bytes of a model's tensors before and after pruning, and where its 2:4 weights are kept compressed.
public struct CheckpointSizes: Sendable, Equatable {
  /// All tensors of the input.
  public let input: Int
  /// All tensors of the output, every zero in its place.
  public let output: Int
  /// The pruned weights among ``input``.
  public let prunedInput: Int
  /// The pruned weights among ``output``, without the scales of INT8 ones.
  public let prunedOutput: Int
  /// The kept half of their values.
  public let values: Int
  /// Which half it is: two bits for each kept value, an eighth of a byte for each weight.
  public let metadata: Int

  /// All tensors where the pruned weights are kept as values and metadata.
  public var compressed: Int { output - prunedOutput + values + metadata }

  /// The sizes as the `prune` contract has them.
  public var json: JSON {
    [
      "inputBytes": .integer(input), "outputBytes": .integer(output),
      "compressedBytes": .integer(compressed), "metadataBytes": .integer(metadata),
    ]
  }

}

extension CheckpointSizes {
  init(of checkpoint: Checkpoint, _ changes: CheckpointChanges, pruned targets: [String]) {
    let weights = targets.compactMap { checkpoint[$0] }
    let stored = weights.map { weight in
      changes[tensor: weight.name]?.first { $0.name == weight.name }?.byteCount
        ?? weight.byteCount
    }
    self.init(
      input: checkpoint.byteCount, output: changes.byteCount(of: checkpoint),
      prunedInput: weights.reduce(0) { $0 + $1.byteCount }, prunedOutput: stored.reduce(0, +),
      values: stored.reduce(0) { $0 + $1 / 2 },
      metadata: weights.reduce(0) { $0 + $1.shape[0] * (($1.shape[1] + 7) / 8) })
  }
}

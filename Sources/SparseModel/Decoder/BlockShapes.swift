/// The tensors of one decoder block, as config.json alone gives them.
struct BlockShapes {
  /// A linear layer.
  struct Linear {
    /// The name inside the block, without `.weight`.
    let name: String
    let outputs: Int
    let inputs: Int
    let hasBias: Bool
  }

  /// The linear layers in the order in which they run.
  let linears: [Linear]
  /// The width of each norm.
  let norms: [Int]
}

/// The memory that a model takes on GPUs, in bytes, and how many of them hold it.
public struct MemoryBudget: Sendable, Equatable {
  /// The shape of what grows with the context.
  public struct Cache: Sendable, Equatable {
    /// The decoder blocks.
    public let blocks: Int
    /// The key and value heads, of which grouped-query attention has fewer than query heads.
    public let keyValueHeads: Int
    /// The width of one head.
    public let headWidth: Int
    /// The bytes of one number: 2 for float16.
    public let bytesPerValue: Int

    /// A cache of this shape.
    public init(blocks: Int, keyValueHeads: Int, headWidth: Int, bytesPerValue: Int = 2) {
      self.blocks = blocks
      self.keyValueHeads = keyValueHeads
      self.headWidth = headWidth
      self.bytesPerValue = bytesPerValue
    }

    /// A key and a value for each head of each block.
    public var bytesPerToken: Int { 2 * blocks * keyValueHeads * headWidth * bytesPerValue }
  }

  /// The weights in the form asked for, embeddings and the rest as they are.
  public let weights: Int
  /// Keys and values of all sequences at full context.
  public let cache: Int
  /// What one pass needs at most at once.
  public let activations: Int

  /// A budget of these parts.
  public init(weights: Int, cache: Int, activations: Int) {
    self.weights = weights
    self.cache = cache
    self.activations = activations
  }

  /// All of it.
  public var total: Int { weights + cache + activations }

  /// The share of a GPU's memory that models get; the rest is for the driver, the libraries' workspaces and what
  /// fragmentation wastes.
  public static let usableShare = 0.9

  /// How many GPUs hold it, each with an equal part; at least 1.
  ///
  /// By memory alone: a server that splits layers over GPUs may want a number that divides the heads.
  public func gpus(of gpu: GPU) -> Int {
    max(1, Int((Double(total) / (1e9 * gpu.memory * Self.usableShare)).rounded(.up)))
  }

  /// The bytes of weights in a form: those of `linears`, as outputs and inputs, and `others` as they are.
  ///
  /// A weight without groups of four stays dense.
  public static func weights(
    _ form: LinearForm, linears: [(outputs: Int, inputs: Int)], others: Int
  ) -> Int {
    linears.reduce(others) { sum, linear in
      let form = linear.inputs % 4 == 0 ? form : form.dense
      return sum + form.byteCount(outputs: linear.outputs, inputs: linear.inputs)
    }
  }
}

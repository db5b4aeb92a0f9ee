public import SparseCore

/// How fast models write on this machine, one sequence at a time.
///
/// Weights are multiplied as they are stored, compressed ones too, and INT8 ones by INT8 activations: the way in
/// which `sparsify generate` runs a model.
public struct DecodeSpeed: Sendable {
  /// The rounds that each model runs; models take turns, so that a busy moment meets all of them.
  public var rounds = 3
  /// The most tokens that are written in a round.
  public var steps = 16

  /// A measurement with the defaults.
  public init() {}

  /// Tokens a second of each model: one over the median time of a token, after a round to warm up.
  ///
  /// The models are fed the given tokens rather than what they write, so that all do the same work.
  ///
  /// - Parameter ids: two or more, as many as the models' contexts hold at most.
  /// - Throws: ``ModelError`` for ids outside the vocabulary and for too many of them, and what `progress` throws.
  public func measure(
    _ models: [Decoder], on ids: [Int32], compute: Compute = .automatic,
    progress: ProgressHandler = { _ in }
  ) throws -> [Double] {
    precondition(ids.count >= 2, "DecodeSpeed: \(ids.count) tokens")
    var seconds = models.map { _ in [Double]() }
    for round in 0...rounds {
      for (index, model) in models.enumerated() {
        try progress(
          Progress(
            step: "measure speed", done: round * models.count + index,
            total: (rounds + 1) * models.count))
        let times = try stepSeconds(model, ids, compute)
        if round > 0 { seconds[index] += times }
      }
    }
    return seconds.map { 1 / max($0.sorted()[$0.count / 2], 1e-9) }
  }

  /// The seconds of each step of one round.
  private func stepSeconds(
    _ model: Decoder, _ ids: [Int32], _ compute: Compute
  ) throws -> [Double] {
    let count = min(steps, ids.count - 1)
    let prompt = min(steps, ids.count - count)
    try model.checkLength(prompt + count)
    let cache = KeyValueCache(
      configuration: model.configuration, sequences: 1, capacity: prompt + count)
    let multiply = (model.hasInt8Weights ? ActivationType.int8 : .float32).multiply
    _ = try model.next(
      after: Array(ids.prefix(prompt)), in: cache, on: compute, multiply: multiply)
    let clock = ContinuousClock()
    return try ids[prompt..<prompt + count].map { id in
      let start = clock.now
      _ = try model.next(after: [id], in: cache, on: compute, multiply: multiply)
      return (clock.now - start).seconds
    }
  }
}

public import SparseCore

/// How fast models write on this machine, one sequence at a time.
///
/// Weights are multiplied as they are stored, compressed ones too, and INT8 ones by INT8 activations, unless config.json
/// asks for activations that are rounded in another way. `sparsify generate` runs a model like that.
public struct DecodeSpeed: Sendable {
  /// The rounds that each model runs.
  ///
  /// Models take turns, so that a busy moment meets all of them; every second round runs them in reverse order.
  public var rounds = 7
  /// The most tokens that are written in a round.
  public var steps = 8

  /// A measurement with the defaults.
  public init() {}

  /// Tokens a second of each model in each round, after a round to warm up: one over the median time of a token.
  ///
  /// The models are fed the given tokens rather than what they write, so that all do the same work.
  ///
  /// - Parameter ids: two or more, as many as the models' contexts hold at most.
  /// - Throws: ``ModelError`` for ids outside the vocabulary and for too many of them, and what `progress` throws.
  public func measure(
    _ models: [LanguageModel], on ids: [Int32], compute: Compute = .automatic,
    progress: ProgressHandler = { _ in }
  ) throws -> [MeasuredRate] {
    precondition(ids.count >= 2, "DecodeSpeed: \(ids.count) tokens")
    var done = 0
    return try inTurns(models.count) { index in
      try progress(
        RunProgress(step: "measure speed", done: done, total: (rounds + 1) * models.count))
      done += 1
      return try stepSeconds(models[index], ids, compute)
    }
  }

  /// The rates of `count` models, given what one model's round takes: the seconds of each step.
  func inTurns(
    _ count: Int, seconds: (_ model: Int) throws -> [Double]
  ) rethrows -> [MeasuredRate] {
    var rates = [[Double]](repeating: [], count: count)
    for round in 0...rounds {
      let order = round % 2 == 0 ? Array(0..<count) : (0..<count).reversed()
      for model in order {
        let times = try seconds(model).sorted()
        if round > 0 { rates[model].append(1 / max(times[times.count / 2], 1e-9)) }
      }
    }
    return rates.map(MeasuredRate.init)
  }

  /// The seconds of each step of one round.
  private func stepSeconds(
    _ model: LanguageModel, _ ids: [Int32], _ compute: Compute
  ) throws -> [Double] {
    let count = min(steps, ids.count - 1)
    let prompt = min(steps, ids.count - count)
    try model.checkLength(prompt + count)
    let cache = KeyValueCache(
      configuration: model.configuration, sequences: 1, capacity: prompt + count)
    let multiply = model.usualActivations.multiply
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

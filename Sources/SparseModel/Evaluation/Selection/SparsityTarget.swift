internal import SparseCore

/// What a model shall reach with as many of its layers sparse as that takes, or allows.
///
/// Which layers is a trade of what sparsity costs against the time that it saves: layers become sparse in the order of
/// cost for each second saved, the cheapest first. Greedy, and close to the best where no single layer weighs much.
public enum SparsityTarget: Sendable, Equatable {
  /// At least so many times as fast as dense float16, with the least loss.
  case speedup(Double)
  /// A rise of the mean negative log-likelihood of at most so much, in nats, as the sum of the layers' own, with the
  /// most time saved.
  case lossIncrease(Double)

  /// The names of the weights of `targets` that stay dense.
  ///
  /// Layers that save no time stay dense whatever they cost.
  ///
  /// - Throws: ``SensitivityError``.
  public func denseWeights(
    _ ranking: SensitivityRanking, _ times: LinearTimes, of targets: [String], in model: String
  ) throws(SensitivityError) -> [String] {
    let parts = try ranking.parts(of: targets, in: model).filter { times.gain($0) > 0 }
    let cheapestFirst = parts.worstFirst { times.gain($0) / max($0.score, .leastNormalMagnitude) }
    var sparse: [String] = []
    switch self {
    case .speedup(let asked):
      let most = times.speedup(sparse: cheapestFirst.flatMap(\.layers))
      guard most >= asked else { throw .speedupOutOfReach(asked: asked, most: most) }
      for part in cheapestFirst where times.speedup(sparse: sparse) < asked {
        sparse += part.layers
      }
    case .lossIncrease(let allowed):
      var room = allowed
      for part in cheapestFirst {
        guard let increase = part.lossIncrease else {
          throw .noLosses(source: ranking.source)
        }
        // A loss that falls is chance, and no room for others.
        guard max(0, increase) <= room else { continue }
        room -= max(0, increase)
        sparse += part.layers
      }
    }
    let names = Set(sparse.map(ExactString.init))
    return targets.filter { !names.contains(ExactString($0)) }
  }
}

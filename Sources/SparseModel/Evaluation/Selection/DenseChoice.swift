internal import SparseCore

/// Which parts of a model stay dense, by their sensitivity.
public enum DenseChoice: Sendable, Equatable {
  /// So many parts, the most sensitive ones.
  case count(Int)
  /// At most this share of the weights, from 0 to 1: those with the most sensitivity for each weight.
  case share(Double)
  /// Every part with more sensitivity than this.
  case above(Double)

  /// The names of the weights of `targets` that stay dense.
  ///
  /// - Parameters:
  ///   - ranking: says something of every target.
  ///   - model: the model's path, for errors.
  /// - Throws: ``SensitivityError``.
  public func weights(
    _ ranking: SensitivityRanking, of targets: [String], in model: String
  ) throws(SensitivityError) -> [String] {
    let parts = try ranking.parts(of: targets, in: model)
    let chosen: [Sensitivity]
    switch self {
    case .count(let count):
      guard count < parts.count else {
        throw .tooManyDense(asked: count, parts: parts.count)
      }
      chosen = Array(parts.worstFirst(by: \.score).prefix(count))
    case .share(let share):
      var room = share * parts.reduce(0) { $0 + Double($1.weights) }
      chosen = parts.worstFirst { $0.score / Double($0.weights) }.filter { part in
        guard Double(part.weights) <= room else { return false }
        room -= Double(part.weights)
        return true
      }
    case .above(let limit): chosen = parts.filter { $0.score > limit }
    }
    let names = Set(chosen.flatMap(\.layers).map(ExactString.init))
    return targets.filter { names.contains(ExactString($0)) }
  }
}

extension [Sensitivity] {
  /// Sorted, the largest value first; of equal ones the first of the model.
  func worstFirst(by value: (Sensitivity) -> Double) -> [Sensitivity] {
    enumerated().map { (value($0.element), $0.offset, $0.element) }
      .sorted { ($1.0, $0.1) < ($0.0, $1.1) }.map(\.2)
  }
}

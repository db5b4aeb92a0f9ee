package import SparseCore

/// The derivatives of Σ weights · f(x) by central differences in float64: along single values of x, and along all of them at once.
///
/// A gradient's products with the same directions must be these. A direction of all values, each up or down at
/// random, misses no error that is larger than the bounds of all values together; single values say where it is.
package struct NumericGradient: Sendable {
  /// What is added to some values of x.
  private struct Direction: Sendable {
    var changes: [(index: Int, amount: Double)]
  }
  private let samples: [(direction: Direction, derivative: Double)]
  /// How far a derivative may be off by the differences themselves.
  private let error: Double

  /// Between neighbouring points: the formula errs by h⁴ / 30 times a fifth derivative, and the rounding of f by 2⁻⁵² / h.
  package static let step = 0x1p-10
  /// Of the size of the weighted sum, for functions whose fifth derivatives are at most 300 times their values.
  private static let relativeError = 1e-11

  /// The derivatives at 0 of a function's results, of fourth order.
  package static func derivatives(of f: (_ t: Double) -> [Double]) -> [Double] {
    let h = step
    let (farBelow, below, above, farAbove) = (f(-2 * h), f(-h), f(h), f(2 * h))
    return below.indices.map { index in
      let near = 8 * (above[index] - below[index])
      return (near - (farAbove[index] - farBelow[index])) / (12 * h)
    }
  }

  /// The derivatives at x of a function's results, weighted.
  ///
  /// - Parameter singles: how many single values are looked at, the first and the last before others; nil for all.
  package init(
    at x: Matrix64, weights: Matrix64, singles: Int?, seed: UInt64, of f: (Matrix64) -> [Double]
  ) {
    self =
      Self.several(at: x, weights: [weights.values], singles: singles, seed: seed, of: f)[0]
  }

  /// The same for several weightings of the same results.
  package static func several(
    at x: Matrix64, weights: [[Double]], singles: Int?, seed: UInt64, of f: (Matrix64) -> [Double]
  ) -> [NumericGradient] {
    let directions = Self.directions(count: x.values.count, singles: singles, seed: seed)
    let derivatives = directions.map { direction in
      Self.derivatives { f(x.moved(by: $0, along: direction.changes)) }
    }
    let results = f(x)
    return weights.map { NumericGradient(directions, derivatives, results, weights: $0) }
  }

  private init(
    _ directions: [Direction], _ derivatives: [[Double]], _ results: [Double], weights: [Double]
  ) {
    samples = zip(directions, derivatives).map { direction, derivatives in
      (direction, zip(weights, derivatives).reduce(0) { $0 + $1.0 * $1.1 })
    }
    let size = zip(weights, results).reduce(0) { $0 + abs($1.0) * max(1, abs($1.1)) }
    error = Self.relativeError * size
  }

  private static func directions(count: Int, singles: Int?, seed: UInt64) -> [Direction] {
    guard count > 0 else { return [] }
    var random = SplitMix64(seed: seed)
    var places = Array(0..<count)
    if let singles {
      let others = (0..<max(0, singles - 2)).map { _ in Int.random(in: 0..<count, using: &random) }
      places = Array(([0, count - 1] + others).prefix(singles))
    }
    let all = Direction(changes: (0..<count).map { ($0, Bool.random(using: &random) ? 1 : -1) })
    return places.map { Direction(changes: [($0, 1)]) } + [all]
  }

  /// What is wrong with a gradient; nil if nothing is.
  ///
  /// - Parameters:
  ///   - start: what the gradient was added to.
  ///   - bounds: how far each value may be off by the rounding of float32.
  package func fault(in got: Matrix, from start: Matrix? = nil, bounds: Matrix64) -> String? {
    precondition(
      got.values.count == bounds.values.count,
      "NumericGradient: \(bounds.values.count) bounds for \(got.values.count) values")
    var worst = (excess: -Double.infinity, text: "")
    for (direction, derivative) in samples {
      var (sum, expected, bound) = (0.0, derivative, error)
      for (index, amount) in direction.changes {
        sum += amount * Double(got.values[index])
        expected += amount * Double(start?.values[index] ?? 0)
        bound += abs(amount) * bounds.values[index]
      }
      let difference = abs(sum - expected)
      let excess = difference.isNaN ? .infinity : difference - bound
      if excess > worst.excess {
        let place = direction.changes.count == 1 ? "[\(direction.changes[0].index)]" : "all values"
        worst = (excess, "\(place): got \(sum), exact \(expected), bound \(bound)")
      }
    }
    return worst.excess > 0 ? worst.text : nil
  }
}

extension Matrix64 {
  /// With some values changed by t times an amount.
  fileprivate func moved(by t: Double, along changes: [(index: Int, amount: Double)]) -> Matrix64 {
    var result = self
    for (index, amount) in changes { result.values[index] += t * amount }
    return result
  }
}

public import SparseCore

/// One weight as an optimizer sees it, in float64, with the formulas of the papers.
public struct ReferenceWeight: Sendable {
  /// The weight.
  public var value: Double
  /// What is remembered of it: AdamW's two moments, or the velocity.
  public var moments: [Double]

  /// A weight with its moments.
  public init(_ value: Double, moments: [Double]) {
    self.value = value
    self.moments = moments
  }

  /// Algorithm 2 of Loshchilov and Hutter 2019, with torch's product of learning rate and decay.
  public mutating func step(
    _ rule: AdamW, gradient: Double, number: Int, learningRate: Double, decays: Bool
  ) {
    moments[0] = rule.beta1 * moments[0] + (1 - rule.beta1) * gradient
    moments[1] = rule.beta2 * moments[1] + (1 - rule.beta2) * gradient * gradient
    let mean = moments[0] / (1 - Math.power(rule.beta1, Double(number)))
    let square = moments[1] / (1 - Math.power(rule.beta2, Double(number)))
    let decay = decays ? learningRate * rule.weightDecay * value : 0
    value -= learningRate * mean / (square.squareRoot() + rule.epsilon) + decay
  }

  /// Gradient descent with momentum and the decay apart from it.
  public mutating func step(_ rule: SGD, gradient: Double, learningRate: Double, decays: Bool) {
    var change = gradient
    if rule.momentum > 0 {
      moments[0] = rule.momentum * moments[0] + gradient
      change = rule.nesterov ? gradient + rule.momentum * moments[0] : moments[0]
    }
    value -= learningRate * change + (decays ? learningRate * rule.weightDecay * value : 0)
  }
}

extension Mask24 {
  /// A mask drawn at random.
  public static func random(rows: Int, columns: Int, seed: UInt64) throws -> Mask24 {
    var generator = SplitMix64(seed: seed)
    let scores = (0..<rows * columns).map { _ in Float(generator.uniform()) }
    return try Mask24(keepingLargest: Matrix(rows: rows, columns: columns, scores))
  }
}

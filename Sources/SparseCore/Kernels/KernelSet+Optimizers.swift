internal import CSparseKernels

/// What optimizers do to weights that lie side by side: the same bits on every kernel set.
extension KernelSet {
  /// out ← the `n / 2` values that the mask keeps, two of each four.
  package func keep24(
    _ n: Int, _ x: UnsafePointer<Float>, mask: UnsafePointer<UInt8>,
    into out: UnsafeMutablePointer<Float>
  ) {
    precondition(n % 4 == 0, "keep24: \(n) values are not whole groups of 4")
    table.pointee.keep24(n, x, mask, out)
  }

  /// Σ x[i]² in float64: finite exactly if all values are.
  package func squareSum(_ n: Int, _ x: UnsafePointer<Float>) -> Double {
    table.pointee.square_sum(n, x)
  }

  /// x[i] ← x[i] · factor.
  package func scale(_ n: Int, by factor: Float, _ x: UnsafeMutablePointer<Float>) {
    table.pointee.scale(n, factor, x)
  }

  /// One step of AdamW on `n` weights and their two moments.
  package func adamW(
    _ n: Int, _ weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>, _ step: AdamWStep
  ) {
    var factors = sk_adamw(
      weight_keep: step.weightKeep, first_share: step.firstShare, second_keep: step.secondKeep,
      second_share: step.secondShare, root_correction: step.rootCorrection, epsilon: step.epsilon,
      step_size: step.stepSize)
    table.pointee.adamw(n, weights, gradients, first, second, &factors)
  }

  /// One step of gradient descent on `n` weights and their velocities, if they have any.
  package func sgd(
    _ n: Int, _ weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    velocity: UnsafeMutablePointer<Float>?, _ step: SGDStep
  ) {
    var factors = sk_sgd(
      weight_keep: step.weightKeep, momentum: step.momentum, rate: step.rate,
      nesterov: step.nesterov ? 1 : 0)
    table.pointee.sgd(n, weights, gradients, velocity, &factors)
  }
}

/// What is the same for all weights in a step of AdamW: w ← weightKeep · w − stepSize · m / (√v / rootCorrection + ε).
package struct AdamWStep: Sendable {
  var weightKeep, firstShare, secondKeep, secondShare, rootCorrection, epsilon, stepSize: Float
}

/// What is the same for all weights in a step of gradient descent: w ← weightKeep · w − rate · change.
package struct SGDStep: Sendable {
  var weightKeep, momentum, rate: Float
  var nesterov: Bool
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2).
///
/// With gradient g at step t and learning rate η:
///
///     m ← m + (1 − β₁)(g − m)          v ← β₂ v + (1 − β₂) g²
///     w ← (1 − η λ) w − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// The formula and the order of operations of `torch.optim.AdamW`, whose weight decay is multiplied by the whole
/// learning rate and whose ε is added after the bias correction. The factors are computed in float64, the weights
/// in float32.
public struct AdamW: OptimizerRule, Equatable {
  /// "adamw".
  public let name = "adamw"
  /// The means of the gradient and of its square.
  public let momentCount = 2

  /// What is left of the mean gradient at each step, β₁.
  public let beta1: Double
  /// What is left of the mean square at each step, β₂.
  public let beta2: Double
  /// What is added to the root of the mean square, ε.
  public let epsilon: Double
  /// The share of a weight that goes with each whole learning rate, λ.
  public let weightDecay: Double

  /// The rule; the betas are in 0..<1, the others finite and not negative.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01
  ) {
    precondition(
      (0..<1).contains(beta1) && (0..<1).contains(beta2), "AdamW: betas \(beta1) and \(beta2)")
    precondition(
      epsilon >= 0 && epsilon.isFinite && weightDecay >= 0 && weightDecay.isFinite,
      "AdamW: epsilon \(epsilon), weight decay \(weightDecay)")
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The step with both bias corrections.
  public func update(
    step: Int, learningRate: Double, decays: Bool, on kernels: KernelSet
  ) -> @Sendable (OptimizerBlock) -> Void {
    let factors = AdamWStep(
      weightKeep: Float(1 - (decays ? learningRate * weightDecay : 0)),
      firstShare: Float(1 - beta1), secondKeep: Float(beta2), secondShare: Float(1 - beta2),
      rootCorrection: Float((1 - Math.power(beta2, Double(step))).squareRoot()),
      epsilon: Float(epsilon),
      stepSize: Float(learningRate / (1 - Math.power(beta1, Double(step)))))
    return { block in
      kernels.adamW(
        block.weights.count, block.weights.start, gradients: block.gradients.start,
        first: block.moment(0).start, second: block.moment(1).start, factors)
    }
  }
}

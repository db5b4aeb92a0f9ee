/// Gradient descent with momentum, plain or Nesterov's, and decoupled weight decay.
///
/// With gradient g and learning rate η:
///
///     u ← μ u + g
///     w ← (1 − η λ) w − η u             w ← (1 − η λ) w − η (g + μ u)   for Nesterov's
///
/// Without weight decay the formula of `torch.optim.SGD`, whose own decay is added to the gradient instead and so
/// to the momentum; this one is the SGDW of Loshchilov and Hutter 2019 (arXiv 1711.05101, algorithm 1).
public struct SGD: OptimizerRule, Equatable {
  /// "sgd".
  public let name = "sgd"
  /// The velocity u; none without momentum.
  public var momentCount: Int { momentum == 0 ? 0 : 1 }

  /// What is left of the velocity at each step, μ; 0 is for plain gradient descent, which remembers nothing.
  public let momentum: Double
  /// The share of a weight that goes with each whole learning rate, λ.
  public let weightDecay: Double
  /// Whether the gradient is taken where the momentum leads to (Sutskever, Martens, Dahl and Hinton 2013).
  public let nesterov: Bool

  /// The rule; the momentum is in 0..<1, the decay finite and not negative.
  public init(momentum: Double = 0.9, weightDecay: Double = 0, nesterov: Bool = false) {
    precondition((0..<1).contains(momentum), "SGD: momentum \(momentum)")
    precondition(weightDecay >= 0 && weightDecay.isFinite, "SGD: weight decay \(weightDecay)")
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
  }

  /// The step, the same at any time.
  public func update(
    step: Int, learningRate: Double, decays: Bool, on kernels: KernelSet
  ) -> @Sendable (OptimizerBlock) -> Void {
    let factors = SGDStep(
      weightKeep: Float(1 - (decays ? learningRate * weightDecay : 0)), momentum: Float(momentum),
      rate: Float(learningRate), nesterov: nesterov)
    let remembers = momentCount > 0
    return { block in
      kernels.sgd(
        block.weights.count, block.weights.start, gradients: block.gradients.start,
        velocity: remembers ? block.moment(0).start : nil, factors)
    }
  }
}

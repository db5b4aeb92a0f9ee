/// How weights follow from their gradients, and what is remembered of these from step to step.
///
/// ``MaskedOptimizer`` sees to masks, clipping and threads, so a rule knows nothing of them: adding one is
/// a file with a type that conforms to this.
public protocol OptimizerRule: Sendable {
  /// What states that it can go on from are called: "adamw".
  var name: String { get }

  /// How many values it remembers of each trained weight; all are 0 before the first step.
  var momentCount: Int { get }

  /// What a step does to any block of weights, each by itself.
  ///
  /// - Parameters:
  ///   - step: the number of the step, from 1.
  ///   - learningRate: the rate of this step.
  ///   - decays: whether the weights shrink by the rule's weight decay; gains and biases commonly do not.
  ///   - kernels: the kernels to use.
  /// - Returns: the update, which is called on several threads, with every block once.
  func update(
    step: Int, learningRate: Double, decays: Bool, on kernels: KernelSet
  ) -> @Sendable (OptimizerBlock) -> Void
}

/// Some trained weights side by side, with their gradients and moments: for a rule to update in place.
///
/// Valid during the call that it is passed to.
public struct OptimizerBlock {
  /// The weights.
  public let weights: UnsafeMutableBufferPointer<Float>
  /// Their gradients, clipped.
  public let gradients: UnsafeBufferPointer<Float>
  /// The first weight's moment 0.
  let moments: UnsafeMutablePointer<Float>
  /// Values from one moment of a weight to the next.
  let momentStride: Int
  /// How many moments there are.
  let momentCount: Int

  /// A value remembered of each of the weights.
  public func moment(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    precondition(
      index >= 0 && index < momentCount, "OptimizerBlock: moment \(index) of \(momentCount)")
    return UnsafeMutableBufferPointer(
      start: moments + index * momentStride, count: weights.count)
  }
}

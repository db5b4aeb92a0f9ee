public import SparseCore

/// What training tries to bring down.
public enum TrainingObjective: String, Sendable, CaseIterable {
  /// The divergence of the predictions from those of the dense model, KL(dense ‖ sparse).
  case distill
  /// The negative log-likelihood of the next token.
  case crossEntropy = "cross-entropy"
  /// The sum of both.
  case both

  /// Whether it takes the dense model.
  public var needsTeacher: Bool { self != .crossEntropy }

  /// The loss of a token.
  var loss: LogitLoss {
    LogitLoss(
      distillation: self == .crossEntropy ? 0 : 1, crossEntropy: self == .distill ? 0 : 1)
  }
}

/// The rules by which weights can follow from their gradients, one line each.
public enum TrainingRule: String, Sendable, CaseIterable {
  /// Adam with decoupled weight decay.
  case adamW = "adamw"
  /// Gradient descent with momentum 0.9.
  case sgd

  /// The rule with a weight decay.
  public func rule(weightDecay: Double) -> any OptimizerRule {
    switch self {
    case .adamW: AdamW(weightDecay: weightDecay)
    case .sgd: SGD(weightDecay: weightDecay)
    }
  }
}

/// How far the loss reaches back.
public enum TrainingScope: String, Sendable, CaseIterable {
  /// Through the whole model, from its predictions.
  case all
  /// Through one block at a time, from what the dense block gives.
  case blocks
}

/// How long is trained.
public enum TrainingLength: Sendable, Equatable {
  /// So many times over all windows.
  case epochs(Int)
  /// So many steps of the optimizer.
  case steps(Int)
}

/// How kept weights are trained.
public struct TrainingOptions: Sendable {
  /// What is brought down.
  public var objective: TrainingObjective
  /// How long.
  public var length: TrainingLength
  /// Windows that pass through the model together.
  public var batch: Int
  /// Batches whose gradients make one step.
  public var accumulation: Int
  /// The highest learning rate.
  public var learningRate: Double
  /// How the learning rate falls.
  public var shape: LearningRateSchedule.Shape
  /// Steps in which the learning rate rises.
  public var warmUpSteps: Int
  /// How weights change.
  public var rule: any OptimizerRule
  /// The norm that the gradient of a step has at most; nil for any.
  public var clippingNorm: Double?
  /// Where the order of the windows starts.
  public var seed: UInt64
  /// Steps between two measurements on held-out text; nil for an eighth of all.
  public var evaluationInterval: Int?
  /// Measurements without a new best after which training ends; nil to go on to the end.
  public var patience: Int?

  /// Training with the defaults of the command line.
  public init(
    objective: TrainingObjective = .distill, length: TrainingLength = .epochs(2), batch: Int = 8,
    accumulation: Int = 1, learningRate: Double = 1e-4,
    shape: LearningRateSchedule.Shape = .linear, warmUpSteps: Int = 0,
    rule: any OptimizerRule = AdamW(weightDecay: 0), clippingNorm: Double? = 1, seed: UInt64 = 0,
    evaluationInterval: Int? = nil, patience: Int? = nil
  ) {
    self.objective = objective
    self.length = length
    self.batch = batch
    self.accumulation = accumulation
    self.learningRate = learningRate
    self.shape = shape
    self.warmUpSteps = warmUpSteps
    self.rule = rule
    self.clippingNorm = clippingNorm
    self.seed = seed
    self.evaluationInterval = evaluationInterval
    self.patience = patience
  }

  /// Windows in a step.
  var windowsPerStep: Int { batch * accumulation }

  /// The steps over so many windows: at least one.
  func steps(windows: Int) -> Int {
    switch length {
    case .steps(let steps): steps
    case .epochs(let epochs): max(1, epochs * windows / windowsPerStep)
    }
  }

  /// The learning rate of each of so many steps.
  func schedule(steps: Int) -> LearningRateSchedule {
    LearningRateSchedule(
      peak: learningRate, shape: shape, warmUpSteps: min(warmUpSteps, steps), totalSteps: steps)
  }

  /// The windows of a step: all windows in a new order each time they have been through.
  func windows(ofStep step: Int, count: Int) -> [Int] {
    var orders: [Int: [Int]] = [:]
    return (step * windowsPerStep..<(step + 1) * windowsPerStep).map { place in
      let epoch = place / count
      let order =
        orders[epoch]
        ?? {
          var random = SplitMix64(seed: seed, stream: UInt64(epoch))
          return Array(0..<count).shuffled(using: &random)
        }()
      orders[epoch] = order
      return order[place % count]
    }
  }
}

public import SparseCore

/// What the predictions of a model cost, as means over the tokens.
public struct TrainingLoss: Sendable, Equatable {
  /// KL(dense ‖ sparse) of a token, in nats; nil without a dense model.
  public let divergence: Double?
  /// The negative log-likelihood of the next token, in nats.
  public let negativeLogLikelihood: Double

  init(divergence: Double?, negativeLogLikelihood: Double) {
    self.divergence = divergence
    self.negativeLogLikelihood = negativeLogLikelihood
  }

  /// The means of sums over tokens.
  init(_ sums: LossSums) {
    divergence =
      sums.divergenceTokens > 0 ? sums.divergence / Double(sums.divergenceTokens) : nil
    negativeLogLikelihood = sums.negativeLogLikelihood / Double(max(1, sums.predictedTokens))
  }

  /// The exponential of the mean negative log-likelihood.
  public var perplexity: Double { Math.exponential(negativeLogLikelihood) }

  /// What an objective brings down.
  public func value(_ objective: TrainingObjective) -> Double {
    switch objective {
    case .distill: divergence ?? negativeLogLikelihood
    case .crossEntropy: negativeLogLikelihood
    case .both: (divergence ?? 0) + negativeLogLikelihood
    }
  }

  /// The loss as reports show it.
  public var json: JSON {
    [
      "divergence": divergence.map(JSON.number) ?? .null, "nll": .number(negativeLogLikelihood),
      "perplexity": .number(perplexity),
    ]
  }

  init?(_ json: JSON) {
    guard let nll = json["nll"]?.double else { return nil }
    self.init(divergence: json["divergence"]?.double, negativeLogLikelihood: nll)
  }
}

/// A step of training.
public struct TrainingStep: Sendable, Equatable {
  /// Its number, from 1.
  public let step: Int
  /// The learning rate.
  public let learningRate: Double
  /// The loss of its windows before the weights changed.
  public let loss: TrainingLoss
  /// The norm of the gradient, before it was clipped.
  public let gradientNorm: Double

  /// The step as reports show it.
  public var json: JSON {
    [
      "step": .integer(step), "learningRate": .number(learningRate), "loss": loss.json,
      "gradientNorm": .number(gradientNorm),
    ]
  }
}

/// A measurement on held-out windows.
public struct TrainingEvaluation: Sendable, Equatable {
  /// The steps made before it.
  public let step: Int
  /// The loss of the held-out windows.
  public let loss: TrainingLoss

  /// The measurement as reports show it.
  public var json: JSON { ["step": .integer(step), "loss": loss.json] }

  init(step: Int, loss: TrainingLoss) {
    self.step = step
    self.loss = loss
  }

  init?(_ json: JSON) {
    guard let step = json["step"]?.int, let loss = json["loss"].flatMap(TrainingLoss.init) else {
      return nil
    }
    self.init(step: step, loss: loss)
  }
}

/// Why training ended before its last step.
public enum EarlyStop: Sendable, Equatable {
  /// The held-out loss had not become better for as many measurements as allowed.
  case patience(step: Int)
  /// The loss was no finite number, or far above where it began.
  case diverged(step: Int, loss: Double)
  /// A tensor's gradient held values that are no finite numbers.
  case nonFiniteGradient(step: Int, tensor: String, count: Int)

  /// What happened, in a line.
  public var description: String {
    switch self {
    case .patience(let step): "stopped after step \(step): the held-out loss got no better"
    case .diverged(let step, let loss):
      "stopped at step \(step): the loss diverged to \(Format.fixed(loss, 4)); a lower --learning-rate may help"
    case .nonFiniteGradient(let step, let tensor, let count):
      "stopped at step \(step): the gradient of '\(tensor)' holds \(count) NaN or infinite values; "
        + "a lower --learning-rate may help"
    }
  }
}

/// The course of a training.
public struct TrainingLog: Sendable, Equatable {
  /// All steps made, in order.
  public internal(set) var steps: [TrainingStep] = []
  /// All measurements on held-out windows, in order; the first is from before the first step.
  public internal(set) var evaluations: [TrainingEvaluation] = []
  /// Why it ended early; nil where it did not.
  public internal(set) var earlyStop: EarlyStop?

  /// The best measurement, of equal ones the first.
  public func best(_ objective: TrainingObjective) -> TrainingEvaluation? {
    evaluations.filter { $0.loss.value(objective).isFinite }
      .min { $0.loss.value(objective) < $1.loss.value(objective) }
  }

  /// The log as reports show it.
  public var json: JSON {
    [
      "steps": .array(steps.map(\.json)), "evaluations": .array(evaluations.map(\.json)),
      "earlyStop": earlyStop.map { .string($0.description) } ?? .null,
    ]
  }

  init() {}

  init?(_ json: JSON) {
    guard let steps = json["steps"]?.array, let evaluations = json["evaluations"]?.array else {
      return nil
    }
    self.steps = steps.compactMap { json in
      guard let step = json["step"]?.int, let rate = json["learningRate"]?.double,
        let loss = json["loss"].flatMap(TrainingLoss.init),
        let norm = json["gradientNorm"]?.double
      else { return nil }
      return TrainingStep(step: step, learningRate: rate, loss: loss, gradientNorm: norm)
    }
    self.evaluations = evaluations.compactMap { TrainingEvaluation($0) }
    guard self.steps.count == steps.count, self.evaluations.count == evaluations.count else {
      return nil
    }
  }
}

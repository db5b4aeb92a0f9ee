internal import SparseCore
internal import SparseModel

/// The options that say how kept weights are trained.
enum TrainingChoice {
  static let objective = Parameter(
    option: "objective", "objective", ValueType<TrainingObjective>.choice, default: "distill",
    "What is brought down: the divergence from the dense model's predictions, the negative log-likelihood of the text, "
      + "or both.")

  static let epochs = Parameter(
    option: "epochs", "n", .positiveInteger, note: "2; 5 for blocks",
    "Train so many times over all windows.")

  static let steps = Parameter(
    option: "steps", "n", .positiveInteger, note: "what the epochs take",
    "Train for so many steps instead.")

  static let batch = Parameter(
    option: "batch", "n", .positiveInteger, note: "8; 2 for blocks",
    "Windows that pass through the model together.")

  static let accumulate = Parameter(
    option: "accumulate", "n", .positiveInteger, default: "1",
    "Batches whose gradients make one step.")

  static let learningRate = Parameter(
    option: "learning-rate", "rate", .positiveNumber, note: "1e-4; 5e-4 for blocks",
    "The highest learning rate.")

  static let schedule = Parameter(
    option: "schedule", "shape", ValueType<LearningRateSchedule.Shape>.choice, default: "linear",
    "How the learning rate falls to 0.")

  static let warmUp = Parameter(
    option: "warm-up", "n", .positiveInteger, note: "none",
    "Steps in which the learning rate rises to its highest.")

  static let optimizer = Parameter(
    option: "optimizer", "rule", ValueType<TrainingRule>.choice, default: "adamw",
    "How weights follow from their gradients.")

  static let weightDecay = Parameter(
    option: "weight-decay", "share", .nonNegative, default: "0",
    "The share of a weight that goes with each whole learning rate.")

  static let clip = Parameter(
    option: "clip", "norm", .nonNegative, default: "1",
    "The norm that the gradient of a step has at most; 0 for no limit.")

  static let evaluateEvery = Parameter(
    option: "evaluate-every", "n", .positiveInteger, note: "an eighth of all steps",
    "Steps between two measurements on held-out text.")

  static let patience = Parameter(
    option: "patience", "n", .positiveInteger, note: "none",
    "Stop after so many measurements without a new best.")

  /// All of them, in the order of the help.
  static let parameters: [any ParameterDeclaration] = [
    objective, epochs, steps, batch, accumulate, learningRate, schedule, warmUp, optimizer,
    weightDecay, clip, evaluateEvery, patience,
  ]

  /// Those that mean nothing where blocks are trained one at a time.
  static let wholeModel: [any ParameterDeclaration] = [
    objective, steps, accumulate, schedule, warmUp, optimizer, weightDecay, clip, evaluateEvery,
    patience,
  ]

  static let exclusive = [["epochs", "steps"]]

  /// What they ask for.
  static func options(_ arguments: Arguments, seed: UInt64) -> TrainingOptions {
    TrainingOptions(
      objective: arguments[objective],
      length: arguments[steps].map(TrainingLength.steps) ?? .epochs(arguments[epochs] ?? 2),
      batch: arguments[batch] ?? 8, accumulation: arguments[accumulate],
      learningRate: arguments[learningRate] ?? 1e-4, shape: arguments[schedule],
      warmUpSteps: arguments[warmUp] ?? 0,
      rule: arguments[optimizer].rule(weightDecay: arguments[weightDecay]),
      clippingNorm: arguments[clip] > 0 ? arguments[clip] : nil, seed: seed,
      evaluationInterval: arguments[evaluateEvery], patience: arguments[patience])
  }

  /// What they ask for where blocks are trained one at a time.
  static func reconstruction(_ arguments: Arguments, seed: UInt64) -> ReconstructionOptions {
    var options = ReconstructionOptions(seed: seed)
    options.epochs = arguments[epochs] ?? options.epochs
    options.batch = arguments[batch] ?? options.batch
    options.learningRate = arguments[learningRate] ?? options.learningRate
    return options
  }
}

internal import SparseCore
internal import SparseModel

/// How weights are chosen by `prune`, and whether what is kept is trained.
struct PruneMethodChoice: RawRepresentable, CaseIterable, Equatable {
  /// The method that chooses.
  let method: PruningMethod
  let rawValue: String

  /// NVIDIA's ASP as published: by magnitude, then training.
  static let asp = PruneMethodChoice(method: .magnitude, rawValue: "asp")

  static let allCases =
    PruningMethod.allCases.map { PruneMethodChoice(method: $0, rawValue: $0.rawValue) } + [asp]

  private init(method: PruningMethod, rawValue: String) {
    self.method = method
    self.rawValue = rawValue
  }

  init?(rawValue: String) {
    guard let choice = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = choice
  }

  static func == (one: Self, other: Self) -> Bool { one.rawValue == other.rawValue }
}

/// The options of `prune` that train what is kept.
enum PruneTraining {
  static let finetune = Parameter(
    flag: "finetune",
    "Train the kept weights afterwards with the masks held, as 'sparsify finetune' does; --method asp always does. "
      + "Takes a folder."
  )

  static let objective = Parameter(
    option: "objective", "objective", ValueType<TrainingObjective>.choice,
    note: "distill, cross-entropy for asp", TrainingChoice.objective.spec.help)

  static let data = Parameter(
    option: "data", "source", .calibration, note: "self",
    "What is trained on: 'self' for text that the model writes, a text file, or token ids as FILE.safetensors."
  )

  static let dataSamples = Parameter(
    option: "data-samples", "n", .positiveInteger,
    note: "\(FinetuneOptions.defaultWrittenWindows) for 'self', else all",
    "The number of windows of that text.")

  static let dataLength = Parameter(
    option: "data-length", "n", .positiveInteger,
    note: "that of a file of tokens, else 512 or the model's context if less",
    "The number of tokens in each.")

  static let epochs = Parameter(
    option: "epochs", "n", .positiveInteger, note: "2", TrainingChoice.epochs.spec.help)

  static let steps = Parameter(
    option: "steps", "n", .positiveInteger, note: "what the epochs take",
    TrainingChoice.steps.spec.help)

  static let learningRate = Parameter(
    option: "learning-rate", "rate", .positiveNumber, note: "1e-4",
    TrainingChoice.learningRate.spec.help)

  private static let details: [any ParameterDeclaration] = [
    objective, data, dataSamples, dataLength, epochs, steps, learningRate,
  ]

  static let parameters: [any ParameterDeclaration] = [finetune] + details

  static let exclusive =
    TrainingChoice.exclusive
    + ["refit", "target-perplexity", "statistics", "blocks", "tensors"].map {
      ["finetune", $0]
    }

  /// Throws for what only a single run can do, where training makes several of it.
  static func refuseSingleRuns(_ arguments: Arguments) throws(UsageError) {
    let others: String
    if arguments[PruneCommand.method] == .asp {
      others = "'--method asp', which trains the whole model"
    } else if isRounded(arguments) {
      others = "'--reconstruct' and '--quantize' together, which are two runs"
    } else {
      return
    }
    let single: [any ParameterDeclaration] = [
      LayerChoice.targetPerplexity, PruneCommand.statistics,
      PruneCommand.blocks, PruneCommand.tensors,
    ]
    for option in single where arguments.isGiven(option.spec.name) {
      throw .conflict(option.spec, with: others)
    }
  }

  /// Throws for options of pruning that mean nothing where what is kept is trained.
  static func refuseIdle(_ arguments: Arguments) throws(UsageError) {
    if isAsked(arguments), arguments.isGiven(PruneCommand.memory.spec.name) {
      throw .noEffect(
        PruneCommand.memory.spec, reason: "training holds the whole model in memory")
    }
    if isAsked(arguments) || isRounded(arguments), arguments.isGiven(PruneCommand.order.spec.name) {
      throw .noEffect(
        PruneCommand.order.spec, reason: "weights are rounded on the masks that were trained")
    }
    if roundsAfterwards(arguments) {
      for spec in [LayerChoice.keepDense.spec, LayerChoice.targetSpeedup.spec]
      where arguments.isGiven(spec.name) {
        throw .conflict(
          spec, with: "'--quantize' after training: what stays dense cannot become INT8 then")
      }
    }
  }

  /// Whether trained blocks become INT8.
  static func isRounded(_ arguments: Arguments) -> Bool {
    arguments[PruneCommand.reconstruct] != nil
      && arguments.isGiven(PruneCommand.quantize.spec.name)
  }

  /// Whether weights become INT8 on masks that were trained.
  static func roundsAfterwards(_ arguments: Arguments) -> Bool {
    isRounded(arguments)
      || isAsked(arguments) && arguments.isGiven(PruneCommand.quantize.spec.name)
  }

  /// Whether anything is trained after pruning.
  static func isAsked(_ arguments: Arguments) -> Bool {
    arguments[finetune] || arguments[PruneCommand.method] == .asp
  }

  /// How is trained; nil where nothing is.
  static func options(_ arguments: Arguments) throws(UsageError) -> FinetuneOptions? {
    guard isAsked(arguments) else {
      for detail in details where arguments.isGiven(detail.spec.name) {
        throw .noEffect(detail.spec, reason: "nothing is trained without --finetune")
      }
      return nil
    }
    let isASP = arguments[PruneCommand.method] == .asp
    let seed = arguments[Common.seed]
    let length = arguments[steps].map(TrainingLength.steps) ?? .epochs(arguments[epochs] ?? 2)
    let training = TrainingOptions(
      objective: arguments[objective] ?? (isASP ? .crossEntropy : .distill), length: length,
      learningRate: arguments[learningRate] ?? 1e-4, seed: seed)
    let text = CalibrationOptions(
      source: arguments[data] ?? .selfWritten, samples: arguments[dataSamples],
      length: arguments[dataLength], seed: seed, start: arguments[Common.startToken])
    return FinetuneOptions(training: training, data: text)
  }
}

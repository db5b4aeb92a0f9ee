public import SparseCore

/// What pruning did to one linear layer.
public struct LayerReport: Sendable {
  /// The weight's name.
  public let name: String
  /// The number of its decoder block, where the model was run.
  public let block: Int?
  /// The stage that it belongs to, where the model was run.
  public let stage: String?
  /// The weight's shape, outputs and inputs.
  public let shape: [Int]
  /// Seconds spent on choosing, applying, writing and measuring.
  public let seconds: Double
  package let error: OutputError?
  /// The share of weights that are zero.
  public internal(set) var sparsity: Double
  /// Groups of four with exactly two non-zeros, by their ``Pattern24`` in the order of its cases.
  public internal(set) var patterns: [Int]
  /// What was added to the diagonal of the inputs' gram, as a share of its mean; nil for methods without one.
  public let dampening: Double?
  /// The method that stood in because the one asked for could not work; nil where it could.
  public let fallback: PruningMethod?
  /// How many tokens the statistics of the inputs are of; nil where the model was not run.
  public let sampleTokens: Int?
  /// By which share a better order of the inputs has raised Σ(|w|·‖x‖)² of what 2:4 keeps; nil where the order is the model's own.
  public let permutationGain: Double?
  /// The smallest and the largest INT8 scale; nil for weights that keep their type.
  public internal(set) var scaleRange: ClosedRange<Float>?
  /// Whether the weight was left dense and only rounded to INT8.
  public let isDense: Bool

  /// ‖X(W−W′)ᵀ‖_F / ‖XWᵀ‖_F: on all calibration inputs for methods that need their gram, else on a sample of them.
  ///
  /// It is nil where the model was not run. W′ is what pruning left, before any training.
  public var relativeError: Double? { error?.relative }

  package init(
    name: String, block: Int? = nil, stage: String? = nil, shape: [Int], seconds: Double,
    error: OutputError? = nil, sparsity: Double, patterns: [Int], dampening: Double? = nil,
    fallback: PruningMethod? = nil, sampleTokens: Int? = nil, permutationGain: Double? = nil,
    scaleRange: ClosedRange<Float>? = nil, isDense: Bool = false
  ) {
    self.name = name
    self.block = block
    self.stage = stage
    self.shape = shape
    self.seconds = seconds
    self.error = error
    self.sparsity = sparsity
    self.patterns = patterns
    self.dampening = dampening
    self.fallback = fallback
    self.sampleTokens = sampleTokens
    self.permutationGain = permutationGain
    self.scaleRange = scaleRange
    self.isDense = isDense
  }

  /// The layer as an object of the `prune` contract.
  public var json: JSON {
    [
      "name": .string(name), "shape": .array(shape.map(JSON.integer)),
      "seconds": .number(seconds), "relativeError": relativeError.map(JSON.number) ?? .null,
      "sparsity": .number(sparsity), "patterns": .array(patterns.map(JSON.integer)),
      "dampening": dampening.map(JSON.number) ?? .null,
      "fallback": fallback.map { .string($0.rawValue) } ?? .null,
      "sampleTokens": sampleTokens.map(JSON.integer) ?? .null,
      "permutationGain": permutationGain.map(JSON.number) ?? .null,
      "scales": scaleRange.map {
        .array([.number(Double($0.lowerBound)), .number(Double($0.upperBound))])
      } ?? .null,
      "dense": .bool(isDense),
    ]
  }
}

/// What a run of pruning did, layer by layer.
public struct PruneReport: Sendable {
  /// The method's name.
  public let method: String
  /// Where the pruned checkpoint is.
  public internal(set) var output: String
  /// Seconds from the start to the finished output.
  public internal(set) var seconds: Double
  /// The most memory that the process has held, in bytes.
  public internal(set) var peakResidentBytes: Int
  /// The calibration, and how many of its tokens the errors were measured on; nil where none was used.
  public let calibration: (Manifest.Calibration, errorTokens: Int)?
  /// Seconds of this run that the model took to write its own calibration text; nil where it wrote none.
  public internal(set) var writingSeconds: Double?
  /// Every pruned layer, in the order in which they were pruned, with the zeros of what was written.
  public internal(set) var layers: [LayerReport]
  /// What training has brought to each block; empty where none was trained.
  public var blocks: [BlockError] = []
  /// What was asked for.
  public internal(set) var options: PruneOptions
  /// A fingerprint of every tensor that was read, as the manifest has it; nil for a part.
  public let inputFingerprint: String?
  /// The bytes of the tensors; nil for a part.
  public internal(set) var sizes: CheckpointSizes?
  /// The training of what is kept; nil where there was none.
  public internal(set) var training: FinetuneReport?
  /// Whether the kept weights were trained, so that ``stages`` and ``LayerReport/relativeError`` are of an earlier model.
  public var isTrained: Bool {
    training != nil || options.reconstruction != nil || !blocks.isEmpty
  }
  /// What pruning has done to the perplexity; nil where it was not measured.
  public var perplexity: PerplexityChange?
  /// Weights that are no linear layers of the blocks, or of a type that is not read, and stay as they are.
  public internal(set) var leftAlone: [LeftAlone] = []

  /// One stage of one block: the squared relative error of all its layers' outputs together.
  public struct StageError: Sendable {
    /// The block's number.
    public let block: Int
    /// The stage's name.
    public let stage: String
    /// Σ‖X(W−W′)ᵀ‖² / Σ‖XWᵀ‖² over the stage's layers.
    public let squaredRelativeError: Double
  }

  /// The errors by block and stage, in the order in which they were pruned; before training, if there was any.
  public var stages: [StageError] {
    var order: [(block: Int, stage: String, error: Double, reference: Double)] = []
    for layer in layers {
      guard let block = layer.block, let stage = layer.stage, let error = layer.error else {
        continue
      }
      if order.last.map({ $0.block != block || $0.stage != stage }) ?? true {
        order.append((block, stage, 0, 0))
      }
      order[order.count - 1].error += error.squaredError
      order[order.count - 1].reference += error.squaredReference
    }
    return order.map {
      StageError(
        block: $0.block, stage: $0.stage,
        squaredRelativeError: $0.error == 0 ? 0 : $0.error / $0.reference)
    }
  }

  /// The geometric mean over the stages of their squared relative errors: one number to compare runs by; nil where the model was not run.
  ///
  /// It is measured before the training, if there was any.
  public var meanSquaredRelativeError: Double? {
    let errors = stages.map(\.squaredRelativeError).filter { $0 > 0 }
    guard !errors.isEmpty else { return nil }
    return Math.exponential(
      errors.reduce(0) { $0 + Math.logarithm($1) } / Double(errors.count))
  }

  /// The report as the `prune` contract has it.
  ///
  /// After a training the errors of pruning stand under names of their own, `…BeforeTraining`, and null in their place.
  public var json: JSON {
    var calibrationJSON = JSON.null
    if let (calibration, errorTokens) = calibration, case .object(var members) = calibration.json {
      members.append(JSON.Member(key: "errorTokens", value: .integer(errorTokens)))
      calibrationJSON = .object(members)
    }
    let error = meanSquaredRelativeError.map(JSON.number) ?? .null
    let report: JSON = [
      "schema": 1, "method": .string(method), "output": .string(output),
      "seconds": .number(seconds), "peakResidentBytes": .integer(peakResidentBytes),
      "calibration": calibrationJSON,
      "calibrationSeconds": writingSeconds.map(JSON.number) ?? .null,
      "meanSquaredRelativeError": isTrained ? .null : error,
      "perplexity": perplexity?.json ?? .null, "sizes": sizes?.json ?? .null,
      "inputFingerprint": inputFingerprint.map(JSON.string) ?? .null,
      "keptDense": .array(options.keptDense.map(JSON.string)),
      "leftAlone": .array(leftAlone.map(\.json)),
      "blocks": .array(blocks.map(\.json)), "training": training?.json ?? .null,
      "layers": .array(layers.map { isTrained ? $0.trainedJSON : $0.json }),
    ]
    guard isTrained else { return report }
    return report.adding("meanSquaredRelativeErrorBeforeTraining", error)
  }
}

extension LayerReport {
  /// The layer as an object of the `prune` contract, once it has been trained.
  fileprivate var trainedJSON: JSON {
    let members = (json.object ?? []).map { member in
      member.key == "relativeError" ? JSON.Member(key: member.key, value: .null) : member
    }
    return JSON.object(members).adding(
      "relativeErrorBeforeTraining", relativeError.map(JSON.number) ?? .null)
  }
}

extension JSON {
  /// An object with one more member at its end.
  fileprivate func adding(_ key: String, _ value: JSON) -> JSON {
    .object((object ?? []) + [Member(key: key, value: value)])
  }
}

internal import SparseCore

/// A run that is done, of those that a longer one is made of.
struct FinishedStep: Sendable {
  /// Its name.
  let name: String
  /// What pruning has brought; nil where nothing was pruned.
  var pruning: FinishedPruning?
  /// What training the whole model has brought; nil where it was not trained.
  var training: FinetuneReport?
  /// What its result depends on besides all that the longer run does; nil for nothing.
  var identity: RunIdentity?
  /// A fingerprint of the model that it has made.
  let output: String

  var json: JSON {
    [
      "name": .string(name), "pruning": pruning?.json ?? .null,
      "training": training?.record ?? .null, "identity": identity?.json ?? .null,
      "output": .string(output),
    ]
  }

  init(
    _ name: String, pruning: FinishedPruning? = nil, training: FinetuneReport? = nil,
    identity: RunIdentity? = nil, output: String = Fingerprint.unknown
  ) {
    self.name = name
    self.output = output
    self.pruning = pruning
    self.training = training
    self.identity = identity
  }

  init?(_ json: JSON) {
    guard let name = json["name"]?.string, let pruning = json["pruning"],
      let training = json["training"], let identity = json["identity"],
      let output = json["output"]?.string
    else { return nil }
    self.init(
      name, pruning: FinishedPruning(pruning), training: FinetuneReport(record: training),
      identity: RunIdentity(identity), output: output)
    guard pruning.isNull || self.pruning != nil, training.isNull || self.training != nil,
      identity.isNull || self.identity != nil
    else { return nil }
  }
}

/// What a report of pruning has that the options do not say.
struct FinishedPruning: Sendable {
  let calibration: (Manifest.Calibration, errorTokens: Int)?
  let layers: [LayerReport]
  let blocks: [BlockError]
  let inputFingerprint: String?
  let sizes: CheckpointSizes?

  init(_ report: PruneReport) {
    calibration = report.calibration
    layers = report.layers
    blocks = report.blocks
    inputFingerprint = report.inputFingerprint
    sizes = report.sizes
  }

  var json: JSON {
    [
      "calibration": calibration?.0.json ?? .null,
      "errorTokens": calibration.map { .integer($0.errorTokens) } ?? .null,
      "layers": .array(layers.map(\.record)), "blocks": .array(blocks.map(\.json)),
      "input": inputFingerprint.map(JSON.string) ?? .null, "sizes": sizes?.record ?? .null,
    ]
  }

  init?(_ json: JSON) {
    guard let records = json["layers"]?.array, let errors = json["blocks"]?.array,
      let calibration = json["calibration"], let sizes = json["sizes"]
    else { return nil }
    self.calibration = Manifest.Calibration(calibration).flatMap { calibration in
      json["errorTokens"]?.int.map { (calibration, $0) }
    }
    layers = records.compactMap { LayerReport(record: $0) }
    blocks = errors.compactMap { BlockError($0) }
    inputFingerprint = json["input"]?.string
    self.sizes = CheckpointSizes(record: sizes)
    guard layers.count == records.count, blocks.count == errors.count,
      calibration.isNull || self.calibration != nil, sizes.isNull || self.sizes != nil
    else { return nil }
  }

  /// The report of a run that has done this.
  func report(_ options: PruneOptions, output: String) -> PruneReport {
    PruneReport(
      method: options.methodName, output: output, seconds: 0, peakResidentBytes: 0,
      calibration: calibration, layers: layers, blocks: blocks, options: options,
      inputFingerprint: inputFingerprint, sizes: sizes)
  }
}

extension CheckpointSizes {
  /// The sizes as a journal keeps them.
  fileprivate var record: JSON {
    .array(
      [input, output, prunedInput, prunedOutput, values, metadata].map(JSON.integer))
  }

  fileprivate init?(record: JSON) {
    guard let sizes = record.array?.compactMap(\.int), sizes.count == 6 else { return nil }
    self.init(
      input: sizes[0], output: sizes[1], prunedInput: sizes[2], prunedOutput: sizes[3],
      values: sizes[4], metadata: sizes[5])
  }
}

extension FinetuneReport {
  /// The report as a journal keeps it.
  fileprivate var record: JSON {
    ["report": json, "earlyStop": log.earlyStop?.record ?? .null]
  }

  fileprivate init?(record: JSON) {
    guard let json = record["report"], let stop = record["earlyStop"],
      let objective = json["objective"]?.string, let output = json["output"]?.string,
      let seconds = json["seconds"]?.double, let peak = json["peakResidentBytes"]?.int,
      let trained = json["trainedWeights"]?.int, let pruned = json["prunedWeights"]?.int,
      let sparse = json["sparseLayers"]?.int, let dense = json["denseLayers"]?.int,
      let count = json["windows"]?.int, let length = json["length"]?.int,
      var log = json["training"].flatMap(TrainingLog.init), let best = json["best"],
      let blocks = json["blocks"]?.array
    else { return nil }
    log.earlyStop = EarlyStop(record: stop)
    self.init(
      objective: objective, output: output, seconds: seconds, peakResidentBytes: peak,
      trainedWeights: trained, prunedWeights: pruned, layers: (sparse, dense),
      windows: (count, length), log: log,
      best: TrainingEvaluation(best), blocks: blocks.compactMap { BlockError($0) })
  }
}

extension EarlyStop {
  fileprivate var record: JSON {
    switch self {
    case .patience(let step): ["step": .integer(step)]
    case .diverged(let step, let loss):
      // A loss that is no number has no place in JSON.
      ["step": .integer(step), "loss": loss.isFinite ? .number(loss) : .string("none")]
    case .nonFiniteGradient(let step, let tensor, let count):
      ["step": .integer(step), "tensor": .string(tensor), "count": .integer(count)]
    }
  }

  fileprivate init?(record: JSON) {
    guard let step = record["step"]?.int else { return nil }
    if let loss = record["loss"] {
      self = .diverged(step: step, loss: loss.double ?? .nan)
    } else if let tensor = record["tensor"]?.string, let count = record["count"]?.int {
      self = .nonFiniteGradient(step: step, tensor: tensor, count: count)
    } else {
      self = .patience(step: step)
    }
  }
}

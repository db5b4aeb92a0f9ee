internal import SparseCore

/// A run that is done, of those that a longer one is made of.
struct FinishedStep: Sendable {
  /// Its name.
  let name: String
  /// What became of the layers that it pruned.
  var layers: [LayerReport] = []
  /// What training has brought to the blocks that it pruned.
  var blocks: [BlockError] = []
  /// What training the whole model has brought; nil where it did not.
  var training: FinetuneReport?

  var json: JSON {
    [
      "name": .string(name), "layers": .array(layers.map(\.record)),
      "blocks": .array(blocks.map(\.json)), "training": training?.record ?? .null,
    ]
  }

  init(_ name: String) { self.name = name }

  init?(_ json: JSON) {
    guard let name = json["name"]?.string, let records = json["layers"]?.array,
      let errors = json["blocks"]?.array, let report = json["training"]
    else { return nil }
    self.name = name
    layers = records.compactMap { LayerReport(record: $0) }
    blocks = errors.compactMap { BlockError($0) }
    training = FinetuneReport(record: report)
    guard layers.count == records.count, blocks.count == errors.count,
      report.isNull || training != nil
    else { return nil }
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
      let count = json["windows"]?.int, let length = json["length"]?.int,
      var log = json["training"].flatMap(TrainingLog.init), let best = json["best"],
      let blocks = json["blocks"]?.array
    else { return nil }
    log.earlyStop = EarlyStop(record: stop)
    self.init(
      objective: objective, output: output, seconds: seconds, peakResidentBytes: peak,
      trainedWeights: trained, prunedWeights: pruned, windows: (count, length), log: log,
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
    }
  }

  fileprivate init?(record: JSON) {
    guard let step = record["step"]?.int else { return nil }
    guard let loss = record["loss"] else {
      self = .patience(step: step)
      return
    }
    self = .diverged(step: step, loss: loss.double ?? .nan)
  }
}

public import SparseCore

/// What a run of training did.
public struct FinetuneReport: Sendable {
  /// What was brought down: an objective, or `block reconstruction`.
  public let objective: String
  /// Where the trained checkpoint is.
  public internal(set) var output: String
  /// Seconds from the start to the finished output, those of earlier runs that were resumed left out.
  public let seconds: Double
  /// The most memory that the process has held, in bytes.
  public let peakResidentBytes: Int
  /// The number of weights that were trained, those that masks hold at 0 left out.
  public let trainedWeights: Int
  /// The number of weights that masks hold at 0.
  public let prunedWeights: Int
  /// The linear layers whose masks were held, and those that are dense.
  public let layers: (sparse: Int, dense: Int)
  /// The windows trained on and the tokens in each.
  public let windows: (count: Int, length: Int)
  /// The course of the training; empty where it went block by block.
  public let log: TrainingLog
  /// The measurement whose weights were written; nil where none was made.
  public let best: TrainingEvaluation?
  /// What training has brought to each block; empty where it went through the whole model.
  public let blocks: [BlockError]

  /// The report as the `finetune` contract has it.
  public var json: JSON {
    [
      "schema": 1, "objective": .string(objective), "output": .string(output),
      "seconds": .number(seconds), "peakResidentBytes": .integer(peakResidentBytes),
      "trainedWeights": .integer(trainedWeights), "prunedWeights": .integer(prunedWeights),
      "sparseLayers": .integer(layers.sparse), "denseLayers": .integer(layers.dense),
      "windows": .integer(windows.count), "length": .integer(windows.length),
      "best": best?.json ?? .null, "training": log.json,
      "blocks": .array(blocks.map(\.json)),
    ]
  }
}

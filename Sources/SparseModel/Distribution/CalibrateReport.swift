public import SparseCore

/// What a file with statistics holds, and what it took to make it: by a run, or by adding parts up.
public struct CalibrateReport: Sendable {
  /// `norms` or `grams`.
  public let kind: String
  /// Where the statistics are.
  public let output: String
  /// The size of that file.
  public let outputBytes: Int
  /// The whole calibration.
  public let calibration: Manifest.Calibration
  /// The sequences that the file is of.
  public let samples: Range<Int>
  /// The blocks that the file is of.
  public let blocks: Range<Int>
  /// The number of blocks of the model.
  public let modelBlocks: Int
  /// The number of parts that were added up; nil for what a model was run for.
  public let parts: Int?
  /// Seconds from the start to the finished output.
  public let seconds: Double
  /// The most memory that the process has held, in bytes.
  public let peakResidentBytes: Int

  init(
    _ manifest: StatisticsManifest, output: String, bytes: Int, parts: Int? = nil, seconds: Double
  ) {
    kind = manifest.kind.name
    self.output = output
    outputBytes = bytes
    calibration = manifest.calibration
    samples = manifest.samples
    blocks = manifest.blocks
    modelBlocks = manifest.modelBlocks
    self.parts = parts
    self.seconds = seconds
    peakResidentBytes = ProcessUsage.peakResidentBytes
  }

  /// Whether it is of all sequences and blocks.
  public var isComplete: Bool {
    samples == 0..<calibration.samples && blocks == 0..<modelBlocks
  }

  /// The report as the `calibrate` contract has it.
  public var json: JSON {
    func range(_ range: Range<Int>) -> JSON {
      [.integer(range.lowerBound), .integer(range.upperBound)]
    }
    return [
      "schema": 1, "kind": .string(kind), "output": .string(output),
      "outputBytes": .integer(outputBytes), "seconds": .number(seconds),
      "peakResidentBytes": .integer(peakResidentBytes), "calibration": calibration.json,
      "samples": range(samples), "blocks": range(blocks), "modelBlocks": .integer(modelBlocks),
      "complete": .bool(isComplete), "parts": parts.map(JSON.integer) ?? .null,
    ]
  }
}

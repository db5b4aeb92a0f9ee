public import SparseCore

/// One row of a sweep: a variant of the model, and what it costs and brings.
public struct SweepRow: Sendable {
  /// What was done to the model.
  public let variant: SweepVariant
  /// How it predicts the held-out text in comparison with the dense model.
  public let comparison: ModelComparison
  /// The relative output error of the pruned layers: the root of the geometric mean over the stages of its square;
  /// nil for a model that was not pruned, or without calibration.
  public let relativeError: Double?
  /// The bytes of all tensors as they are stored, 2:4 weights as kept values and masks.
  public let bytes: Int
  /// Seconds of pruning or quantizing, without the calibration text that all methods share; 0 for the input.
  public let seconds: Double
  /// Tokens a second on this machine where it writes a single sequence.
  public let decodeRate: MeasuredRate
  /// Where the model is; nil where it was not kept.
  public let output: String?
}

/// The accuracy of a model against its size, over methods of compressing it.
public struct SweepReport: Sendable {
  /// The calibration that all methods have shared.
  public struct Calibration: Sendable, Equatable {
    /// `self` or a file's path.
    public let source: String
    /// The number of sequences.
    public let samples: Int
    /// The number of tokens in each.
    public let length: Int
    /// Where random numbers started.
    public let seed: UInt64
    /// Seconds that reading or writing it took.
    public let seconds: Double
  }

  /// The path of the model.
  public let model: String
  /// The rows, the dense model first.
  public let rows: [SweepRow]
  /// The calibration; nil for none.
  public let calibration: Calibration?
  /// Seconds from the start to the last row.
  public let seconds: Double
  /// The most memory that the process has held, in bytes.
  public let peakResidentBytes: Int

  /// How many times smaller than the dense model a row's is.
  public func compressionRatio(of row: SweepRow) -> Double {
    Double(rows.first?.bytes ?? 0) / Double(max(1, row.bytes))
  }

  /// Whether no row is at least as small and as close to the dense model, by the mean divergence, and better in
  /// one of the two: a row of the Pareto front.
  public func isBest(_ row: SweepRow) -> Bool {
    let (bytes, divergence) = (row.bytes, row.comparison.divergence.mean)
    return !rows.contains { other in
      let (otherBytes, otherDivergence) = (other.bytes, other.comparison.divergence.mean)
      return otherBytes <= bytes && otherDivergence <= divergence
        && (otherBytes < bytes || otherDivergence < divergence)
    }
  }

  /// The report as the `sweep` contract has it.
  public var json: JSON {
    let text = rows.first?.comparison.reference
    return [
      "schema": 1, "model": .string(model), "windows": .integer(text?.windows ?? 0),
      "length": .integer(text?.length ?? 0), "tokens": .integer(text?.tokens ?? 0),
      "calibration": calibration?.json ?? .null, "seconds": .number(seconds),
      "peakResidentBytes": .integer(peakResidentBytes), "rows": .array(rows.map(json)),
    ]
  }

  private func json(_ row: SweepRow) -> JSON {
    let perplexity = row.comparison.other
    return [
      "name": .string(row.variant.name),
      "method": row.variant.method.map { .string($0.rawValue) } ?? .null,
      "quantization": .string(row.variant.quantization.rawValue),
      "perplexity": .number(perplexity.perplexity),
      "nll": .number(perplexity.meanNegativeLogLikelihood),
      "activations": .string(perplexity.activations.rawValue),
      "divergence": row.comparison.divergence.json,
      "agreement": .number(row.comparison.agreement),
      "relativeError": row.relativeError.map(JSON.number) ?? .null,
      "bytes": .integer(row.bytes), "compressionRatio": .number(compressionRatio(of: row)),
      "seconds": .number(row.seconds), "decodeTokensPerSecond": .number(row.decodeRate.median),
      "decodeSpread": row.decodeRate.spread.json,
      "best": .bool(isBest(row)), "output": row.output.map(JSON.string) ?? .null,
    ]
  }
}

extension SweepReport.Calibration {
  fileprivate var json: JSON {
    [
      "source": .string(source), "samples": .integer(samples), "length": .integer(length),
      "seed": .unsigned(seed), "seconds": .number(seconds),
    ]
  }
}

public import SparseCore

/// What a run of compressing or expanding did.
public struct EncodingReport: Sendable {
  /// The weights that changed their form, in the checkpoint's order.
  public let weights: [String]
  /// The bytes of all tensors of the input.
  public let inputBytes: Int
  /// The bytes of all tensors of the output.
  public let outputBytes: Int
  /// Where the output is.
  public let output: String
  /// Seconds from the start to the finished output.
  public let seconds: Double
  /// The most memory that the process has held, in bytes.
  public let peakResidentBytes: Int

  /// The report as the `compress` and `expand` contracts have it.
  public var json: JSON {
    [
      "schema": 1, "output": .string(output), "seconds": .number(seconds),
      "peakResidentBytes": .integer(peakResidentBytes), "inputBytes": .integer(inputBytes),
      "outputBytes": .integer(outputBytes), "weights": .array(weights.map(JSON.string)),
    ]
  }
}

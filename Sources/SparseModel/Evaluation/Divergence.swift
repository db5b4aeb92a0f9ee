public import SparseCore

/// How far one model's predictions are from another's: KL(reference ‖ other) over many tokens, in nats.
///
/// It is what a token of the reference's own text costs the other model beyond what it costs the reference:
/// e to the power of the mean is the factor between their perplexities there.
public struct Divergence: Sendable, Equatable {
  /// The mean over the tokens.
  public let mean: Double
  /// The standard error of the mean, with tokens taken for independent; 0 for a single one.
  public let standardError: Double
  /// What half of the tokens stay within.
  public let median: Double
  /// What 99 % of the tokens stay within.
  public let percentile99: Double
  /// What 99.9 % of the tokens stay within.
  public let percentile999: Double
  /// The largest of all.
  public let maximum: Double

  /// The statistics of some tokens, at least one; rounding that leaves one below 0 is taken back.
  init(_ values: [Double]) {
    precondition(!values.isEmpty, "Divergence: no tokens")
    let values = values.map { max(0, $0) }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    standardError = (squares / max(1, count - 1) / count).squareRoot()
    let sorted = values.sorted()
    /// The least value that `share` thousandths of all stay within.
    func percentile(_ share: Int) -> Double { sorted[(values.count * share + 999) / 1000 - 1] }
    median = percentile(500)
    percentile99 = percentile(990)
    percentile999 = percentile(999)
    maximum = percentile(1000)
  }

  /// The numbers as the `compare` contract has them.
  public var json: JSON {
    [
      "mean": .number(mean), "standardError": .number(standardError), "median": .number(median),
      "percentile99": .number(percentile99), "percentile999": .number(percentile999),
      "maximum": .number(maximum),
    ]
  }
}

internal import SparseCore

/// Tokens a second of one model, measured in several rounds.
///
/// ```swift
/// let rates = try DecodeSpeed().measure([dense, pruned], on: ids)
/// let change = rates[1].change(from: rates[0])
/// print(change.isBeyondNoise ? "\(change.ratio) times as fast" : "no difference beyond noise")
/// ```
public struct MeasuredRate: Sendable, Equatable {
  /// The tokens a second of each round, in the order of the rounds.
  public let rounds: [Double]

  /// The rates of at least one round, all above 0.
  public init(rounds: [Double]) {
    precondition(
      !rounds.isEmpty && rounds.allSatisfy { $0 > 0 && $0.isFinite }, "MeasuredRate: \(rounds)")
    self.rounds = rounds
  }

  /// The middle round's rate; of two middle rounds the faster one's.
  public var median: Double { rounds.sorted()[rounds.count / 2] }

  /// The rates of the slowest and of the fastest round.
  public var spread: ClosedRange<Double> {
    (rounds.min() ?? median)...(rounds.max() ?? median)
  }

  /// `12.3 (11.9–12.6)`: the median, the slowest and the fastest round.
  package var text: String {
    let bounds = [spread.lowerBound, spread.upperBound].map { Format.fixed($0, 1) }
    return "\(Format.fixed(median, 1)) (\(bounds.joined(separator: "–")))"
  }

  /// How this model's speed differs from that of a reference which was measured in the same rounds.
  public func change(from reference: MeasuredRate) -> SpeedChange {
    precondition(
      rounds.count == reference.rounds.count,
      "MeasuredRate: \(rounds.count) and \(reference.rounds.count) rounds")
    return SpeedChange(self, reference)
  }
}

/// How many times as fast as a reference a model is, and whether the measurement bears that out.
public struct SpeedChange: Sendable, Equatable {
  /// The median over the rounds of the model's rate as a multiple of the reference's.
  public let ratio: Double
  /// The least and the greatest ratio of any round.
  public let spread: ClosedRange<Double>
  /// Whether the speeds differ by more than their noise.
  ///
  /// They do where every round of one model is faster than every round of the other, over at least ``fewestRounds``
  /// rounds, and the median ratio is at least ``leastChange`` away from 1. Rounds of one and the same speed come apart
  /// so by chance in 2 of C(2n, n) measurements: 1 in 126 of 5 rounds, 1 in 1716 of 7.
  public let isBeyondNoise: Bool

  /// The rounds that it takes to tell two speeds apart.
  public static let fewestRounds = 5
  /// The change below which speeds count as the same.
  public static let leastChange = 0.05

  init(_ model: MeasuredRate, _ reference: MeasuredRate) {
    let ratios = zip(model.rounds, reference.rounds).map { $0 / $1 }
    let rate = MeasuredRate(rounds: ratios)
    (ratio, spread) = (rate.median, rate.spread)
    let isApart =
      model.spread.lowerBound > reference.spread.upperBound
      || model.spread.upperBound < reference.spread.lowerBound
    isBeyondNoise =
      isApart && ratios.count >= Self.fewestRounds
      && max(ratio, 1 / ratio) >= 1 + Self.leastChange
  }
}

import SparseCore
import Testing

@testable import SparseModel

/// What is claimed of speeds, and what is not: all samples are made here, none is a real time.
@Suite struct MeasuredRateTests {
  private func change(_ reference: [Double], _ other: [Double]) -> SpeedChange {
    MeasuredRate(rounds: other).change(from: MeasuredRate(rounds: reference))
  }

  @Test func aRateHasItsMedianAndSpread() {
    let rate = MeasuredRate(rounds: [9, 12, 10])
    #expect(rate.median == 10 && rate.spread == 9...12)
    #expect(rate.text == "10.0 (9.0–12.0)")
  }

  @Test func speedsThatComeApartAreClaimed() {
    let change = change([10, 11, 10, 9, 10], [20, 22, 21, 18, 20])
    #expect(change.ratio == 2 && change.spread == 2...2.1 && change.isBeyondNoise)
    let slower = self.change([20, 22, 21, 18, 20], [10, 11, 10, 9, 10])
    #expect(slower.ratio == 0.5 && slower.isBeyondNoise)
  }

  @Test(
    arguments: [
      // A median of 1.57, with one round that another program has disturbed.
      ([10, 10, 10, 10, 16], [15.7, 15.7, 15.7, 15.7, 15.7]),
      // Fewer rounds than tell anything apart.
      ([10, 10, 10, 10], [20, 20, 20, 20]), ([1], [1.57]),
      // A difference too small to be of use.
      ([100, 100, 100, 100, 100], [104, 104, 104, 104, 104]),
    ] as [([Double], [Double])])
  func whatIsInsideTheNoiseIsNotClaimed(reference: [Double], other: [Double]) {
    #expect(!change(reference, other).isBeyondNoise)
    #expect(!change(other, reference).isBeyondNoise)
  }

  /// Two models of equal speed, measured by a clock whose machine gets faster and slower in turn.
  @Test func theSameModelOnBothSidesIsNeverClaimedFaster() {
    for seed in 0..<200 {
      var random = SplitMix64(seed: UInt64(seed))
      var calls = 0.0
      let rates = DecodeSpeed().inTurns(2) { _ in
        calls += 1
        // A steady drift, and noise of up to a half.
        return (0..<8).map { _ in (1 + calls / 10) * (1 + random.uniform() / 2) }
      }
      #expect(!rates[1].change(from: rates[0]).isBeyondNoise, "seed \(seed): \(rates)")
    }
  }

  @Test func modelsTakeTurnsAndTurnsAtTheFirstPlace() {
    var order: [Int] = []
    var speed = DecodeSpeed()
    speed.rounds = 3
    let rates = speed.inTurns(2) { model in
      order.append(model)
      return order.count <= 2 ? [100] : [0.5, 0.25, 4]
    }
    #expect(order == [0, 1, 1, 0, 0, 1, 1, 0])
    // The round to warm up does not count, and of its steps a round has the median.
    #expect(rates == [MeasuredRate(rounds: [2, 2, 2]), MeasuredRate(rounds: [2, 2, 2])])
  }
}

import SparseCore
import TestSupport
import Testing

@testable import SparseModel

@Suite struct GenerationTests {
  let model: LanguageModel
  let prompt: [Int32]

  init() throws {
    model = try ModelFixture.tiny.decoder()
    prompt = try ModelFixture.tiny.golden()["greedy"]?["promptIds"]?.ids ?? []
  }

  private func sampled(seed: UInt64, temperature: Double = 1) throws -> [Int32] {
    try model.generate(
      after: prompt, count: 24, sampling: Sampling(temperature: temperature, seed: seed))
  }

  @Test func theSeedDecidesTheText() throws {
    #expect(try sampled(seed: 1) == sampled(seed: 1))
    #expect(try Set([1, 2, 3, 4].map { try sampled(seed: $0) }).count == 4)
  }

  @Test func aVeryLowTemperatureTakesTheLikeliestToken() throws {
    #expect(
      try sampled(seed: 5, temperature: 0.001)
        == model.generate(after: prompt, count: 24, sampling: Sampling(temperature: 0)))
  }

  @Test func generationStopsAtAnEndOfTextTokenAndLeavesItOut() throws {
    let greedy = try model.generate(after: prompt, count: 8, sampling: Sampling(temperature: 0))
    let folder = try TemporaryFolder()
    var edited = try EditedModel(.tiny)
    edited.set("eos_token_id", [500, .integer(Int(greedy[5]))])
    let stopping = try LanguageModel(Checkpoint(path: edited.write(to: folder)))
    let expected = Array(greedy.prefix { $0 != greedy[5] })
    #expect(
      try stopping.generate(after: prompt, count: 8, sampling: Sampling(temperature: 0)) == expected
    )
    #expect(expected.count <= 5)
  }

  @Test func noTokensAreNone() throws {
    #expect(try model.generate(after: prompt, count: 0, sampling: Sampling()) == [])
  }

  @Test func throwingFromTheHandlerStops() {
    var count = 0
    #expect(throws: CancellationError.self) {
      try model.generate(after: prompt, count: 20, sampling: Sampling(temperature: 0)) { _ in
        count += 1
        if count == 3 { throw CancellationError() }
      }
    }
    #expect(count == 3)
  }

  /// 20,000 draws from four probabilities: each share within five standard deviations.
  @Test func drawsFollowTheProbabilities() {
    let shares: [Float] = [0.5, 0, 0.2, 0.3]
    let row = Matrix(rows: 2, columns: 4, [1, 0, 0, 0] + shares)
    var random = SplitMix64(seed: 11)
    var counts = [0, 0, 0, 0]
    for _ in 0..<20_000 { counts[Int(row.draw(row: 1, using: &random))] += 1 }
    for (count, share) in zip(counts, shares) {
      let expected = 20_000 * Double(share)
      let deviation = (expected * (1 - Double(share))).squareRoot()
      #expect(abs(Double(count) - expected) <= 5 * deviation, "\(counts)")
    }
  }
}

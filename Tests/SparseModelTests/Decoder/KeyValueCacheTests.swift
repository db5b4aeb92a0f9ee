import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Generation against the whole forward pass, for several sequences at once.
@Suite struct KeyValueCacheTests {
  let model: LanguageModel

  init() throws { model = try ModelFixture.tiny.decoder() }

  /// All of a prompt at once, one token, and the prompt but one, with the rest token by token.
  @Test(arguments: [1, 3, 6], [1, 9, 14])
  func theCacheGivesTheLogitsOfTheWholeSequences(sequences: Int, prompt: Int) throws {
    let length = 14
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: length, count: sequences)
    let whole = try (0..<sequences).map { try model.logits(of: Array(windows[$0])) }
    let cache = KeyValueCache(
      configuration: model.configuration, sequences: sequences, capacity: length)
    var end = prompt
    var step = (0..<sequences).flatMap { windows[$0].prefix(prompt) }
    while true {
      let next = try model.next(after: step, in: cache, on: .automatic)
      #expect(cache.length == end)
      for sequence in 0..<sequences {
        let got = next.values[sequence * 512..<(sequence + 1) * 512]
        let expected = whole[sequence].values[(end - 1) * 512..<end * 512]
        let worst = zip(got, expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(
          Double(worst) <= TinyLlamaTests.tolerance * whole[sequence].largest,
          "sequence \(sequence), \(end) tokens")
      }
      if end == length { break }
      step = (0..<sequences).map { windows.ids[$0 * length + end] }
      end += 1
    }
  }

  /// With products that treat rows alike, a sequence's logits are the same bits whatever is beside it.
  @Test func sequencesDoNotTouchEachOther() throws {
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 6, count: 7)
    func run(_ sequences: Range<Int>) throws -> [[Float]] {
      let cache = KeyValueCache(
        configuration: model.configuration, sequences: sequences.count, capacity: 6)
      var rows: [[Float]] = sequences.map { _ in [] }
      for position in 0..<6 {
        let step = sequences.map { windows.ids[$0 * 6 + position] }
        let next = try model.next(
          after: step, in: cache, on: .automatic, multiply: linearAsPacked)
        for index in rows.indices { rows[index] += next.values[index * 512..<(index + 1) * 512] }
      }
      return rows
    }
    let together = try run(0..<7)
    #expect(try run(0..<1) + run(1..<5) + run(5..<7) == together)
  }

  @Test func bytesPerSequenceAreThoseOfItsKeysAndValues() {
    // 4 blocks × 10 tokens × 2 heads of 32, keys and values, 4 bytes each
    #expect(
      KeyValueCache.bytesPerSequence(model.configuration, capacity: 10) == 4 * 10 * 64 * 2 * 4)
  }
}

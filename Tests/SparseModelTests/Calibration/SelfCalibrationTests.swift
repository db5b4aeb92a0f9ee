import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Calibration text that the model writes itself.
@Suite struct SelfCalibrationTests {
  let model: LanguageModel

  init() throws { model = try ModelFixture.tiny.decoder() }

  private func text(
    samples: Int = 6, length: Int = 24, seed: UInt64 = 0, together: Int? = nil,
    threads: Int = Compute.automatic.threads
  ) throws -> TokenWindows {
    let bytes = KeyValueCache.bytesPerSequence(model.configuration, capacity: length)
    return try model.writeText(
      samples: samples, length: length, seed: seed,
      memory: TextMemory(
        cacheBytes: together.map { $0 * bytes } ?? 1 << 30, releasesWeights: together == 1),
      on: Compute(threads: threads), progress: { _ in })
  }

  @Test func theSeedDecidesTheText() throws {
    let first = try text(seed: 4)
    #expect(try text(seed: 4) == first)
    #expect(try text(seed: 5) != first)
    #expect(Set((0..<6).map { Array(first[$0]) }).count == 6)
  }

  @Test(arguments: [1, 2, 3, 7])
  func threadsChangeNothing(threads: Int) throws {
    #expect(try text(length: 12, threads: threads) == text(length: 12))
  }

  /// Groups of one to five, down to a last one of a single sequence; 0 bytes still write one at a time.
  @Test(arguments: [0, 1, 2, 4, 5])
  func theNumberWrittenTogetherChangesNothing(together: Int) throws {
    #expect(try text(length: 10, together: together) == text(length: 10))
  }

  @Test func fewerSamplesAreTheFirstOfMore() throws {
    #expect(try text(samples: 3) == text().first(3))
    #expect(try text(length: 10) == text().shortened(to: 10, source: ""))
  }

  @Test func everySequenceStartsAtTheBeginningOfText() throws {
    let text = try text()
    #expect((0..<6).allSatisfy { text[$0].first == 0 })
  }

  @Test func aModelWithoutABeginningStartsAnywhere() throws {
    let folder = try TemporaryFolder()
    var edited = try EditedModel(.tiny)
    edited.set("bos_token_id", .null)
    let other = try LanguageModel(Checkpoint(path: edited.write(to: folder)))
    let text = try other.writeText(
      samples: 8, length: 3, seed: 1, on: .automatic, progress: { _ in })
    #expect(Set((0..<8).map { text[$0].first }).count > 4)
  }

  /// Under its own distribution a model finds its text as unsurprising as real one (1.6), not as noise (hundreds).
  @Test func theTextIsTheModelsOwn() throws {
    let written = try text(samples: 8, length: 48)
    #expect(try model.perplexity(of: written).perplexity < 4)
  }

  @Test func progressGrowsToTheEndAndMayStop() throws {
    var seen: [RunProgress] = []
    _ = try model.writeText(
      samples: 3, length: 5, seed: 0, memory: TextMemory(cacheBytes: 0), on: .automatic,
      progress: { seen.append($0) })
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.done < $1.done })
    #expect(seen.allSatisfy { $0.total == 15 })
    #expect(throws: CancellationError.self) {
      try model.writeText(
        samples: 3, length: 5, seed: 0, on: .automatic, progress: { _ in throw CancellationError() }
      )
    }
  }
}

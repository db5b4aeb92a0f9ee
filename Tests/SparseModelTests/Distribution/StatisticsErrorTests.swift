import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Statistics that are refused.
@Suite struct StatisticsErrorTests {
  /// Two parts that fit.
  private func parts(_ place: StatisticsPlace) throws -> [String] {
    [
      try place.collect("a", .norms, samples: .range(0..<2)),
      try place.collect("b", .norms, samples: .range(2..<5)),
    ]
  }

  private func refusal(_ place: StatisticsPlace, _ parts: [String]) -> StatisticsError? {
    do {
      _ = try StatisticsMerge(parts, output: place.folder["merged"])
      return nil
    } catch {
      return error as? StatisticsError
    }
  }

  @Test func partsThatShareSamplesAreRefused() throws {
    let place = try StatisticsPlace()
    let parts = try parts(place)
    let other = try place.collect("c", .norms, samples: .range(1..<3), blocks: 1..<3)
    #expect(
      refusal(place, parts + [other])
        == .overlap(path: other, other: parts[0], blocks: 1..<3, samples: 1..<2))
    #expect(
      refusal(place, [parts[0], parts[0]])
        == .overlap(path: parts[0], other: parts[0], blocks: 0..<4, samples: 0..<2))
  }

  @Test func whatNoPartHasIsNamed() throws {
    let place = try StatisticsPlace()
    let parts = try parts(place)
    #expect(
      refusal(place, [parts[1]])
        == .missing(blocks: 0..<4, samples: 0..<2, gaps: 1, parts: 1))
    let block = try place.collect("c", .norms, samples: .range(2..<4), blocks: 0..<2)
    let error = try #require(refusal(place, [parts[0], block]))
    #expect(error == .missing(blocks: 0..<2, samples: 4..<5, gaps: 2, parts: 2))
    #expect(
      error.description
        == "samples 4..<5 of blocks 0..<2 are in none of the 2 parts, nor is what fills 1 other gap"
    )
  }

  @Test func foreignPartsAreRefusedSayingWhatDiffers() throws {
    let place = try StatisticsPlace()
    let part = try parts(place)[0]
    var edited = try EditedModel(.tiny)
    edited.setBFloat16("model.layers.3.mlp.up_proj.weight", at: 5, to: 1)
    var (length, seed, text) = (place.calibration, place.calibration, place.calibration)
    length.length = 11
    seed.seed = 1
    text.source = .text(path: ModelFixture.tiny.file("heldout.txt"))
    let rest = SampleSelection.range(2..<5)
    let foreign: [(String, String)] = [
      (
        "the model's fingerprint is",
        try place.collect(
          "model", .norms, samples: rest, model: edited.write(to: place.folder, "other"))
      ),
      ("the statistics are", try place.collect("grams", samples: rest)),
      (
        "the calibration is",
        try place.collect("length", .norms, samples: rest, calibration: length)
      ),
      ("the calibration is", try place.collect("seed", .norms, samples: rest, calibration: seed)),
      (
        "the calibration's fingerprint is",
        try place.collect("text", .norms, samples: rest, calibration: text)
      ),
    ]
    for (what, path) in foreign {
      guard case .differs(let found, path, _, part, _)? = refusal(place, [part, path]) else {
        Issue.record("\(path) was not refused")
        continue
      }
      #expect(found == what)
    }
  }

  @Test func blocksOfAnotherTextOfTheModelsOwnAreRefused() throws {
    let place = try StatisticsPlace(source: .selfWritten)
    let parts = [
      try place.collect("a", .norms, samples: .range(0..<3)),
      try place.collect("b", .norms, samples: .range(3..<5), blocks: 0..<2),
      try place.collect("c", .norms, samples: .range(3..<5), blocks: 2..<4),
    ]
    #expect(refusal(place, parts) == nil)
    // As if another kernel set had written another text.
    let file = try SafetensorsFile(path: parts[2])
    var bytes = try place.folder.read("c")
    bytes[file.place(of: try #require(file["sequences"])).lowerBound] ^= 1
    let foreign = try place.folder.write(bytes, to: "foreign")
    let error = refusal(place, [parts[0], parts[1], foreign])
    guard case .differs(let what, foreign, _, parts[1], _)? = error else {
      Issue.record("another text was not noticed")
      return
    }
    #expect(what == "the fingerprint of sample 3 is")
  }

  @Test func whatIsNoStatisticsIsRefused() throws {
    let place = try StatisticsPlace()
    let model = ModelFixture.tiny.file("model.safetensors")
    #expect(refusal(place, [model]) == .notStatistics(path: model))
  }

  @Test(arguments: [
    ("\"schema\":1", "\"schema\":2", "schema 2"),
    ("\"kind\":\"norms\"", "\"kind\":\"norma\"", "field"),
    ("\"kind\":\"norms\"", "\"kind\":\"grams\"", "is not there"),
    ("\"inputs\":128", "\"inputs\":129", "F32 [128], not F32 [129]"),
    ("\"samples\":[0,5]", "\"samples\":[0,6]", "beyond"),
    ("\"blocks\":[0,4]", "\"blocks\":[0,5]", "beyond"),
    ("\"blocks\":[0,4]", "\"blocks\":[0,3]", "stages"), ("\"block\":2", "\"block\":1", "stages"),
    ("\"stage\":\"o\"", "\"stage\":\"v\"", "is not there"),
    ("\"modelBlocks\":4", "\"modelBlocks\":4e9", "field"),
    ("{\"schema\"", "[\"schema\"", "malformed"),
  ])
  func damagedManifestsAreRefused(good: String, bad: String, reason: String) throws {
    let place = try StatisticsPlace()
    let path = try place.collect("whole", .norms)
    // The manifest is JSON within JSON.
    func escaped(_ text: String) -> String {
      text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    }
    let bytes = try place.folder.read("whole")
    let file = try SafetensorsFile(path: path)
    let text = try #require(file.metadata[StatisticsManifest.key])
    let changed = try #require(text.firstRange(of: good).map { text.replacingCharacters($0, bad) })
    let header = SafetensorsHeaderText(bytes)
    let damaged = header.replacing(escaped(text), by: escaped(changed))
    let damagedPath = try place.folder.write(damaged, to: "damaged")
    let error = try #require(refusal(place, [damagedPath]))
    #expect("\(error)".contains(reason), "\(error)")
    #expect("\(error)".hasPrefix(damagedPath))
  }

  @Test func activationsThatCannotBeSummedAreSaid() throws {
    var edited = try EditedModel(.tiny)
    for index in 0..<128 {
      edited.setBFloat16("model.layers.2.post_attention_layernorm.weight", at: index, to: 3e7)
    }
    let place = try StatisticsPlace(samples: 1)
    let path = try edited.write(to: place.folder, "large")
    do {
      _ = try place.collect("out", .norms, model: path)
      Issue.record("the sums were taken")
    } catch StatisticsError.tooLarge(let block, let stage, let sum, let limit) {
      #expect(block == 2 && stage == "gate-up" && sum > limit)
    }
    #expect(!(try place.folder.contents().contains { $0.hasPrefix("out") }))
  }
}

/// A safetensors file whose header is edited as text.
private struct SafetensorsHeaderText {
  private let bytes: [UInt8]
  private let length: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
  }

  func replacing(_ old: String, by new: String) -> [UInt8] {
    var text = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    if let range = text.firstRange(of: old) { text.replaceSubrange(range, with: new) }
    let header = Array(text.utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
      + bytes[(8 + length)...]
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<String.Index>, _ text: String) -> String {
    var copy = self
    copy.replaceSubrange(range, with: text)
    return copy
  }
}

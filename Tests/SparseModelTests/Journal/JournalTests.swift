internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a journal says after it was closed, cut short or damaged.
@Suite struct JournalTests {
  private let folder: TemporaryFolder
  private var path: String { folder["journal"] }

  init() throws { folder = try TemporaryFolder() }

  private static let layer = LayerReport(
    name: "a\n\"b", block: 3, stage: "o", shape: [4, 8], seconds: 0.1 + 0.2,
    error: OutputError(squaredError: 1 / 3, squaredReference: 1e-300), sparsity: 0.5,
    patterns: [1, 2, 3, 4, 5, 6],
    dampening: 0.01, fallback: .wanda, sampleTokens: 77, permutationGain: 0.07,
    scaleRange: 0x1.fffffep-3...0.3)

  private static var identity: RunIdentity {
    var identity = RunIdentity()
    identity.add("the method", "admm")
    identity.add("--smooth", nil)
    return identity
  }

  private static let entries: [JournalEntry] = [
    .run(identity), .tokens(fingerprint: "0123456789abcdef"),
    .block(
      FinishedBlock(
        index: 0, hidden: "fedcba9876543210", tensors: [("w", "00"), ("é", "11")], layers: [layer])),
    .tensors([
      FinishedTensor(name: "w", input: "22", outputs: ["w", "s"], layer: layer),
      FinishedTensor(name: "v", input: "33", outputs: ["v"], layer: nil),
    ]),
    .complete,
  ]

  private func texts(_ entries: [JournalEntry]) -> [String] { entries.map { $0.json.text() } }

  /// Writes all entries and closes the journal.
  private func written() throws -> [UInt8] {
    do {
      let journal = try #require(try Journal(path: path))
      #expect(journal.entries.isEmpty)
      for entry in Self.entries { try journal.append(entry) }
    }
    return try folder.read("journal")
  }

  @Test func entriesComeBackExactly() throws {
    _ = try written()
    let journal = try #require(try Journal(path: path))
    #expect(texts(journal.entries) == texts(Self.entries))
    guard case .block(let block) = journal.entries[2], let layer = block.layers.first else {
      Issue.record("the third entry is no block")
      return
    }
    #expect(layer.error == Self.layer.error)
    #expect(layer.scaleRange == Self.layer.scaleRange)
    #expect(layer.json == Self.layer.json)
    #expect((layer.block, layer.stage) == (Self.layer.block, Self.layer.stage) as (Int?, String?))
  }

  @Test func aCutLineAndWhatFollowsDoNotCount() throws {
    let bytes = try written()
    let ends = bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
    for length in 0...bytes.count {
      var end = 0
      let entries = Journal.entries(in: Array(bytes[..<length]), &end)
      #expect(entries.count == ends.count { $0 <= length })
      #expect(end == ends.last { $0 <= length } ?? 0)
    }
  }

  @Test func aDamagedByteEndsTheJournalBeforeItsLine() throws {
    let bytes = try written()
    let ends = bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      var end = 0
      #expect(Journal.entries(in: damaged, &end).count == ends.count { $0 <= index })
    }
  }

  @Test func anEntryTakesThePlaceOfAHalfOne() throws {
    let bytes = try written()
    try folder.write(Array(bytes.dropLast(3)), to: "journal")
    do {
      let journal = try #require(try Journal(path: path))
      try journal.append(.tokens(fingerprint: "x"))
    }
    let journal = try #require(try Journal(path: path))
    #expect(texts(journal.entries) == texts(Self.entries.dropLast() + [.tokens(fingerprint: "x")]))
  }

  @Test func onlyOneHasItOpen() throws {
    let journal = try #require(try Journal(path: path))
    #expect(try Journal(path: path) == nil)
    try withExtendedLifetime(journal) { try journal.append(.complete) }
  }

  @Test func theFirstDifferenceIsNamed() {
    var other = RunIdentity()
    other.add("the method", "admm")
    other.add("--smooth", "0.5")
    let difference = Self.identity.difference(from: other)
    #expect(difference?.part == "--smooth")
    #expect(difference?.this == "none")
    #expect(difference?.other == "0.5")
    #expect(Self.identity.difference(from: Self.identity) == nil)
    var longer = Self.identity
    longer.add("tensor w of m", "ff")
    #expect(Self.identity.difference(from: longer)?.part == "tensor w of m")
    #expect(longer.difference(from: Self.identity)?.part == "tensor w of m")
  }
}

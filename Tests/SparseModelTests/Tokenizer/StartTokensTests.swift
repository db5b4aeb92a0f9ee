import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// The tokens that a tokenizer's post-processor puts before a text, and the windows that begin with them.
@Suite struct StartTokensTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The fixture's tokenizer with another post-processor.
  private func tokenizer(_ processor: JSON?) throws -> JSON {
    let file = try MappedFile(path: ModelFixture.tiny.file("tokenizer.json"))
    var members = try JSON(parsing: file.bytes).object ?? []
    members.removeAll { $0.key == "post_processor" }
    if let processor { members.append(JSON.Member(key: "post_processor", value: processor)) }
    return .object(members)
  }

  /// A template that puts the tokens of these names before a text and one after it.
  private static func template(_ names: String..., map: JSON? = nil) -> JSON {
    let special = names.map { name -> JSON in
      ["SpecialToken": ["id": .string(name), "type_id": 0]]
    }
    let end: JSON = ["SpecialToken": ["id": "<|endoftext|>", "type_id": 0]]
    let sequence: JSON = ["Sequence": ["id": "A", "type_id": 0]]
    return [
      "type": "TemplateProcessing", "single": .array(special + [sequence, end]),
      "pair": .array([sequence]),
      "special_tokens": map ?? [
        "<|endoftext|>": ["id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]],
        "two": ["id": "two", "ids": [7, 9], "tokens": ["a", "b"]],
      ],
    ]
  }

  private func ids(_ processor: JSON?) throws -> [Int32] {
    try Tokenizer(json: tokenizer(processor)).startTokens
  }

  @Test func whatComesBeforeTheTextCounts() throws {
    let template = Self.template("<|endoftext|>")
    let bytes: JSON = ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false]
    #expect(try ids(nil) == [])
    #expect(try ids(.null) == [])
    #expect(try ids(bytes) == [])
    #expect(try ids(template) == [0])
    #expect(try ids(Self.template()) == [], "the end token is no start token")
    #expect(try ids(Self.template("<|endoftext|>", "two")) == [0, 7, 9])
    #expect(try ids(["type": "Sequence", "processors": [bytes, template]]) == [0])
    // The later template works on what the earlier one gives.
    #expect(
      try ids(["type": "Sequence", "processors": [Self.template("two"), template]]) == [0, 7, 9])
    for type in ["BertProcessing", "RobertaProcessing"] {
      #expect(try ids(["type": .string(type), "sep": ["b", 9], "cls": ["a", 7]]) == [7])
    }
  }

  @Test func whatCannotBeUsedIsNamed() {
    #expect(throws: TokenizerError.unsupported(part: "post_processor", name: "Other")) {
      try ids(["type": "Other"])
    }
    #expect(throws: TokenizerError.missing(key: "post_processor.special_tokens.absent")) {
      try ids(Self.template("absent"))
    }
    #expect(
      throws: TokenizerError.invalid(
        key: "post_processor.special_tokens.far.ids[0]", expected: "the id of a token",
        found: "99999")
    ) {
      try ids(Self.template("far", map: ["far": ["ids": [99999]]]))
    }
    #expect(throws: TokenizerError.self) {
      try ids(["type": "TemplateProcessing", "single": []])
    }
  }

  @Test func eachWindowBeginsWithThem() {
    let windows = TokenWindows(cutting: Array(1...10), length: 4, startTokens: [0])
    #expect(windows.ids == [0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9])
    #expect(windows.count == 3 && windows.startTokens == [0])
    #expect(windows.first(2).startTokens == [0])
    #expect(
      TokenWindows(cutting: Array(1...10), length: 4)
        == TokenWindows(
          count: 2, length: 4, ids: Array(1...8)))
  }

  private func model(_ processor: JSON?) throws -> Checkpoint {
    var model = try EditedModel(.tiny)
    model.companions = []
    try folder.write(tokenizer(processor).text(), to: "model/tokenizer.json")
    return try Checkpoint(path: model.write(to: folder))
  }

  /// The mean negative log-likelihood of positions 2…128 of 8 windows, each token 0 and the next 127 tokens of
  /// heldout.txt (or 128 of them): transformers 5.24 with the fixture in float32, log_softmax in float64.
  @Test func theLossIsThatOfTheReference() throws {
    let checkpoint = try model(Self.template("<|endoftext|>"))
    let decoder = try LanguageModel(checkpoint)
    let path = ModelFixture.tiny.file("heldout.txt")
    for (start, expected) in [(TextStart.auto, 0.5962904255644441), (.none, 0.45494740019689)] {
      let windows = try TokenWindows(
        cutting: path, length: 128, windows: 8, start: start, for: checkpoint)
      let found = try decoder.perplexity(of: windows)
      #expect(abs(found.meanNegativeLogLikelihood - expected) < 2e-6)
      #expect(found.startTokens == (start == .auto ? [0] : []))
      #expect(found.json["startTokens"] == (start == .auto ? [0] : []))
    }
    let plain = try model(nil)
    let without = try TokenWindows(cutting: path, length: 128, windows: 8, for: plain)
    #expect(
      try without
        == TokenWindows(cutting: path, length: 128, windows: 8, start: .none, for: checkpoint))
  }

  @Test(arguments: [UInt64(0), 5])
  func calibrationBeginsWithThemAndTheManifestSaysSo(seed: UInt64) throws {
    let decoder = try LanguageModel(model(Self.template("<|endoftext|>")))
    var options = CalibrationOptions(
      source: .text(path: ModelFixture.tiny.file("calibration.txt")), samples: 3, length: 16,
      seed: seed)
    let text = try Tokenizer(for: decoder.checkpoint).encode(
      contentsOf: ModelFixture.tiny.file("calibration.txt"))
    let windows = try #require(try options.readTokens(for: decoder))
    #expect((0..<3).allSatisfy { windows[$0].first == 0 })
    if seed == 0 {
      #expect((0..<3).flatMap { windows[$0].dropFirst() } == Array(text.prefix(45)))
    }
    options.start = .none
    let without = try #require(try options.readTokens(for: decoder))
    #expect(without.startTokens == [])
    if seed == 0 { #expect(without.ids == Array(text.prefix(48))) }

    options.start = .auto
    options.length = 1
    #expect(throws: CalibrationError.self) { try options.readTokens(for: decoder) }
  }

  /// Another start is another run: what was left of the first cannot be gone on with.
  @Test func aRunWithAnotherStartIsAnotherRun() throws {
    let checkpoint = try model(Self.template("<|endoftext|>"))
    func options(_ start: TextStart, resumes: Bool) -> PruneOptions {
      PruneOptions(
        method: .wanda,
        calibration: CalibrationOptions(
          source: .text(path: ModelFixture.tiny.file("calibration.txt")), samples: 2, length: 16,
          start: start), output: folder["out"], resumes: resumes)
    }
    #expect(throws: (any Error).self) {
      try PruneRun(checkpoint.path, options(.auto, resumes: false)).run {
        if $0.step.hasPrefix("block 3") { throw CancellationError() }
      }
    }
    let error = #expect(throws: (any Error).self) {
      try PruneRun(checkpoint.path, options(.none, resumes: true)).run()
    }
    #expect(error.map { "\($0)".contains("--start-token") } == true, "\(String(describing: error))")
    let report = try PruneRun(checkpoint.path, options(.auto, resumes: true)).run()
    #expect(report.calibration?.0.startTokens == [0])
    let manifest = try #require(try Checkpoint(path: folder["out"]).manifest())
    #expect(manifest.calibration?.startTokens == [0])
    #expect(manifest.calibration?.json["startTokens"] == [0])
  }
}

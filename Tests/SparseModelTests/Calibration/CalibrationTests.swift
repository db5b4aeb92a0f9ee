import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Calibration tokens from a text or from a file of ids.
@Suite struct CalibrationTests {
  let folder: TemporaryFolder
  let model: LanguageModel
  let text: String
  let ids: [Int32]

  init() throws {
    folder = try TemporaryFolder()
    model = try ModelFixture.tiny.decoder()
    let whole = try MappedFile(path: ModelFixture.tiny.file("calibration.txt")).bytes.array
    text = try folder.write(Array(whole.prefix(6000)), to: "text.txt")
    ids = try Tokenizer(for: model.checkpoint).encode(contentsOf: text)
  }

  private func windows(samples: Int? = nil, length: Int? = nil, seed: UInt64 = 0) throws
    -> TokenWindows?
  {
    try CalibrationOptions(source: .text(path: text), samples: samples, length: length, seed: seed)
      .readTokens(for: model)
  }

  /// Writes a file with a tensor of ids, and returns its path.
  private func tokens(
    _ ids: [Int32], _ shape: [Int], name: String = "tokens", dtype: DType = .i64
  ) throws -> String {
    let size = dtype.bits / 8
    let bytes = ids.flatMap { id in
      (0..<size).map { UInt8(truncatingIfNeeded: Int64(id) >> ($0 * 8)) }
    }
    let path = folder["tokens.safetensors"]
    let writer = try SafetensorsWriter(
      path: path, tensors: [TensorSpec(name: name, dtype: dtype, shape: shape)])
    try writer.write(ByteView(copying: bytes), as: name)
    try writer.commit()
    return path
  }

  @Test(arguments: [
    ("self", CalibrationSource.selfWritten), ("book.txt", .text(path: "book.txt")),
    ("a/self", .text(path: "a/self")), ("ids.safetensors", .tokens(path: "ids.safetensors")),
  ])
  func theArgumentSaysWhatTheSourceIs(argument: String, source: CalibrationSource) {
    #expect(CalibrationSource(argument: argument) == source)
    #expect(source.name == argument)
  }

  @Test func theLengthIsTheModelsContextAtMost() {
    #expect(CalibrationOptions().length(context: 8192) == 512)
    #expect(CalibrationOptions().length(context: 256) == 256)
    #expect(CalibrationOptions(source: .text(path: "a")).length(context: 8192) == 2048)
    #expect(CalibrationOptions(source: .text(path: "a")).length(context: 1024) == 1024)
    #expect(CalibrationOptions(source: .text(path: "a"), length: 64).length(context: 1024) == 64)
  }

  @Test func aTextGivesItsFirstWindows() throws {
    let windows = try windows(samples: 5, length: 40)
    #expect(windows == TokenWindows(count: 5, length: 40, ids: Array(ids[..<200])))
  }

  @Test func withoutNumbersATextGivesAsMuchAsItHolds() throws {
    let all = try windows()
    #expect(all?.length == 256)
    #expect(all?.count == ids.count / 256)
    #expect(try windows(length: 4)?.count == 128)
  }

  @Test(arguments: [1, 2, 77] as [UInt64])
  func aSeedDrawsWindowsAnywhereInTheText(seed: UInt64) throws {
    let drawn = try #require(try windows(samples: 6, length: 50, seed: seed))
    let starts = (0..<6).map { window in
      (0...ids.count - 50).first { drawn[window].elementsEqual(ids[$0..<$0 + 50]) }
    }
    #expect(!starts.contains(nil))
    #expect(Set(starts).count > 3, "windows are spread")
    #expect(starts != (0..<6).map { $0 * 50 })
    #expect(try windows(samples: 6, length: 50, seed: seed) == drawn)
    #expect(try windows(samples: 6, length: 50, seed: seed + 1) != drawn)
  }

  @Test func aTextThatIsTooShortSaysByHowMuch() throws {
    #expect(
      throws: CalibrationError.tooLittleText(
        path: text, tokens: ids.count, samples: 400, length: 50)
    ) { try windows(samples: 400, length: 50) }
    #expect(
      throws: CalibrationError.tooLittleText(
        path: text, tokens: ids.count, samples: 400, length: 50)
    ) { try windows(samples: 400, length: 50, seed: 9) }
    let empty = try folder.write("", to: "empty.txt")
    let error = #expect(throws: CalibrationError.self) {
      try CalibrationOptions(source: .text(path: empty)).readTokens(for: model)
    }
    #expect(
      error?.description == "\(empty): 1 window of 256 needs 256 tokens, the text holds 0")
  }

  /// The first byte of what is cut short, overlong, a surrogate, or stands alone.
  @Test(
    arguments: [
      ([0x61, 0xE2, 0x82], 1), ([0xC3, 0xA9, 0xC0, 0x80], 2), ([0xED, 0xA0, 0x80], 0),
      ([0x61, 0x62, 0x80, 0x63], 2), ([0xF4, 0x90, 0x80, 0x80], 0), ([0x61, 0xFF], 1),
    ] as [([UInt8], Int)])
  func textThatIsNotUTF8IsRefused(bytes: [UInt8], offset: Int) throws {
    let path = try folder.write(bytes, to: "bytes.txt")
    let tokenizer = try Tokenizer(for: model.checkpoint)
    #expect(throws: TextError.notUTF8(path: path, offset: offset, byte: bytes[offset])) {
      try tokenizer.encode(contentsOf: path)
    }
    #expect(throws: TextError.self) {
      try CalibrationOptions(source: .text(path: path)).readTokens(for: model)
    }
    // As bytes they are still encoded.
    #expect(tokenizer.decode(tokenizer.encode(bytes)) == bytes)
  }

  @Test func whatIsNotThereIsNamed() throws {
    #expect(throws: FileError.missing(path: folder["none.txt"])) {
      try CalibrationOptions(source: .text(path: folder["none.txt"])).readTokens(for: model)
    }
    var silent = try EditedModel(.tiny)
    silent.companions = []
    let path = try silent.write(to: folder)
    let decoder = try LanguageModel(Checkpoint(path: path))
    #expect(throws: ModelError.missingTokenizer(folder: path)) {
      try CalibrationOptions(source: .text(path: text)).readTokens(for: decoder)
    }
  }

  @Test(arguments: [DType.u16, .i32, .i64])
  func aFileOfIdsGivesItsRows(dtype: DType) throws {
    let path = try tokens(Array(ids[..<60]), [5, 12], dtype: dtype)
    func read(_ samples: Int?, _ length: Int?) throws -> TokenWindows? {
      try CalibrationOptions(source: .tokens(path: path), samples: samples, length: length)
        .readTokens(for: model)
    }
    #expect(try read(nil, nil) == TokenWindows(count: 5, length: 12, ids: Array(ids[..<60])))
    #expect(
      try read(2, 7)
        == TokenWindows(count: 2, length: 7, ids: Array(ids[..<7] + ids[12..<19])))
    #expect(throws: CalibrationError.tooFewSamples(path: path, found: 5, asked: 6)) {
      try read(6, nil)
    }
    #expect(throws: CalibrationError.samplesTooShort(path: path, found: 12, asked: 13)) {
      try read(nil, 13)
    }
  }

  @Test func rowsLongerThanTheContextAreCut() throws {
    let path = try tokens(Array(ids[..<600]), [2, 300])
    let windows = try CalibrationOptions(source: .tokens(path: path)).readTokens(for: model)
    #expect(windows?.length == 256)
    #expect(windows.map { Array($0[1]) } == Array(ids[300..<556]))
  }

  @Test(arguments: [
    ("ids", [2, 3], "there is no tensor 'tokens' of shape [samples, length]"),
    ("tokens", [6], "tensor 'tokens' is [6], not [samples, length]"),
    ("tokens", [2, 3, 1], "tensor 'tokens' is [2, 3, 1], not [samples, length]"),
    ("tokens", [0, 6], "tensor 'tokens' is [0, 6], not [samples, length]"),
  ])
  func aFileThatHoldsNoIdsIsRefused(name: String, shape: [Int], reason: String) throws {
    let path = try tokens(
      [Int32](repeating: 1, count: shape.reduce(1, *)), shape, name: name)
    #expect(throws: CalibrationError.notTokens(path: path, reason: reason)) {
      try CalibrationOptions(source: .tokens(path: path)).readTokens(for: model)
    }
  }

  @Test(arguments: [512, -1] as [Int32])
  func anIdOutsideTheVocabularyIsNamed(id: Int32) throws {
    let path = try tokens([1, 2, id, 3], [2, 2])
    #expect(throws: ModelError.tokenOutOfRange(id: Int(id), vocabulary: 512, source: path)) {
      try CalibrationOptions(source: .tokens(path: path)).readTokens(for: model)
    }
  }
}

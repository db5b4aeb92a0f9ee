internal import Foundation
internal import SparseModel
internal import TestSupport
internal import Testing

/// The real thing: runs where `SPARSIFY_SMOLLM2` names the model's folder and the shared data is there.
@Suite(.enabled(if: SmolLM2.isThere))
struct SmolLM2Tests {
  let tokenizer: Tokenizer

  init() throws {
    tokenizer = try Tokenizer(contentsOf: "\(SmolLM2.folder)/tokenizer.json")
  }

  @Test(arguments: [("wikitext2-valid.txt", 266_981), ("wikitext2-test.txt", 303_415)])
  func wikitextHasTheKnownNumberOfTokensAndComesBack(file: String, count: Int) throws {
    let text = try SmolLM2.data(file)
    let ids = tokenizer.encode(text)
    #expect(ids.count == count)
    #expect(tokenizer.decode(ids) == text)
  }

  @Test func theFirstWindowsAreTheSharedCalibrationTokens() throws {
    let file = try SmolLM2.data("smollm2-calibration-64x512.safetensors")
    // One tensor of 64 × 512 little-endian int32 after the header, whose length comes first.
    let header = file[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let expected = stride(from: 8 + header, to: file.count, by: 4).map { place in
      file[place..<place + 4].reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) }
    }
    #expect(expected.count == 64 * 512)
    let ids = tokenizer.encode(try SmolLM2.data("wikitext2-valid.txt"))
    #expect(Array(ids.prefix(64 * 512)) == expected)
  }

  @Test func vocabularyIsThatOfTheModel() {
    #expect(tokenizer.vocabularySize == 49152)
    #expect(tokenizer.id(of: "<|im_start|>") == 1)
    #expect(tokenizer.id(of: "no such token") == nil)
  }
}

private enum SmolLM2 {
  static let folder = ProcessInfo.processInfo.environment["SPARSIFY_SMOLLM2"] ?? ""

  static let isThere: Bool = {
    let needed = ["\(folder)/tokenizer.json", Shared.path("data")]
    if needed.allSatisfy(FileManager.default.fileExists) { return true }
    SkippedTests(under: "SmolLM2.isThere").say(
      why:
        "SPARSIFY_SMOLLM2 names no folder with SmolLM2's tokenizer, or \(Shared.path("data")) is not there"
    )
    return false
  }()

  static func data(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: Shared.path("data/\(name)"))))
  }
}

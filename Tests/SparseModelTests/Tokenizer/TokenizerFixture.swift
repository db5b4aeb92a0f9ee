internal import Foundation
internal import SparseCore
internal import SparseModel

/// A small tokenizer with texts and what the reference makes of them; see Tests/Fixtures/tokenizers.
struct TokenizerFixture: CustomStringConvertible, Sendable {
  /// A text with its ids, and the text that these give.
  struct Case {
    let text: String
    let ids: [Int32]
    let decoded: String
  }

  let folder: String
  let kind: String

  var description: String { kind }

  func tokenizer() throws -> Tokenizer {
    try Tokenizer(contentsOf: "\(folder)/\(kind).tokenizer.json")
  }

  func json() throws -> JSON { try Self.json("\(folder)/\(kind).tokenizer.json") }

  func cases() throws -> [Case] {
    let texts = try (Self.json("\(folder)/texts.json").array ?? []).compactMap(\.string)
    let results = try (Self.json("\(folder)/\(kind).cases.json").array ?? []).compactMap(\.array)
    return zip(texts, results).map { text, result in
      let ids = result[0].array?.compactMap { $0.int.map { Int32($0) } } ?? []
      return Case(text: text, ids: ids, decoded: result.count > 1 ? result[1].string ?? "" : text)
    }
  }

  /// The fixtures of the package, and of the folder that the environment names.
  static let all: [TokenizerFixture] = {
    let more = ProcessInfo.processInfo.environment["SPARSIFY_TOKENIZER_CASES"].map { [$0] } ?? []
    return ([fixtures] + more).flatMap { folder in
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return files.filter { $0.hasSuffix(".tokenizer.json") }.sorted().map {
        TokenizerFixture(folder: folder, kind: String($0.dropLast(".tokenizer.json".count)))
      }
    }
  }()

  /// The fixture of this name.
  static func named(_ kind: String) -> TokenizerFixture {
    TokenizerFixture(folder: fixtures, kind: kind)
  }

  private static let fixtures =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers").path

  private static func json(_ path: String) throws -> JSON {
    try JSON(parsing: MappedFile(path: path).bytes)
  }
}

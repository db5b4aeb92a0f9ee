internal import Foundation
internal import SparseCore
internal import SparseModel
internal import Testing

/// Ids and texts as the reference gives them: for the fixtures, and for any folder of more such files
/// that `SPARSIFY_TOKENIZER_CASES` names.
struct GoldenTests {
  @Test(arguments: TokenizerFixture.all)
  func encodesAndDecodesAsTheReference(_ fixture: TokenizerFixture) throws {
    let tokenizer = try fixture.tokenizer()
    let cases = try fixture.cases()
    #expect(cases.count > 50)
    for (index, golden) in cases.enumerated() {
      let ids = tokenizer.encode(golden.text)
      #expect(ids == golden.ids, "case \(index): \(golden.text.debugDescription)")
      // The reference repairs what is not UTF-8, as after an unknown token; bytes are compared elsewhere.
      let decoded = tokenizer.decode(golden.ids)
      if String(validating: decoded, as: UTF8.self) != nil {
        #expect(
          decoded == Array(golden.decoded.utf8),
          "case \(index): \(golden.text.debugDescription) became \(String(decoding: decoded, as: UTF8.self).debugDescription)"
        )
      }
    }
  }

  @Test func thereIsAFixtureForEachFamily() {
    let kinds = TokenizerFixture.all.map(\.kind)
    for kind in ["smollm2", "gpt2", "llama3", "qwen2", "llama2", "mistral-metaspace-always"] {
      #expect(kinds.contains(kind))
    }
  }
}

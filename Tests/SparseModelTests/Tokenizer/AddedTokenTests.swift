internal import SparseCore
internal import SparseModel
internal import Testing

/// The ids of added tokens, as tokenizers 0.23.3 gives them: a new token's own `id` does not count.
@Suite struct AddedTokenTests {
  /// Three tokens: a, b and ab, with the ids 0, 1 and 2.
  private func tokenizer(_ added: [(content: String, id: Int)], ab: Int = 2) throws -> Tokenizer {
    try Tokenizer(json: [
      "model": [
        "type": "BPE", "vocab": ["a": 0, "b": 1, "ab": .integer(ab)], "merges": ["a b"],
      ],
      "decoder": ["type": "Fuse"],
      "added_tokens": .array(
        added.map { ["id": .integer($0.id), "content": .string($0.content), "normalized": false] }),
    ])
  }

  @Test(
    arguments: [
      ([("<x>", 3), ("<y>", 4)], [3, 4]), ([("<x>", 600), ("<y>", 1000)], [3, 4]),
      ([("<x>", 1000), ("<y>", 600)], [3, 4]), ([("<x>", 4), ("<y>", 3)], [3, 4]),
      ([("<x>", 3), ("<y>", 3)], [3, 4]), ([("<x>", 0), ("<y>", 1)], [3, 4]),
      ([("", 3), ("<x>", 4), ("<y>", 9)], [3, 4]),
      ([("<x>", 7), ("<x>", 8), ("<y>", 9)], [3, 4]),
    ] as [([(String, Int)], [Int32])])
  func newTokensAreNumberedOn(added: [(String, Int)], ids: [Int32]) throws {
    let tokenizer = try tokenizer(added.map { (content: $0.0, id: $0.1) })
    #expect(tokenizer.encode("<x><y>") == ids)
    #expect(tokenizer.decode(ids) == Array("<x><y>".utf8))
    #expect(tokenizer.vocabularySize == 5)
  }

  @Test func tokensOfTheVocabularyKeepTheirIDs() throws {
    let tokenizer = try tokenizer([("b", 600), ("<x>", 601)])
    #expect(tokenizer.encode("ab<x>") == [0, 1, 3])
  }

  /// The numbering begins at the number of tokens, not after the largest id.
  @Test func gapsInTheVocabularyAreFilled() throws {
    let tokenizer = try tokenizer([("<x>", 801), ("<y>", 802)], ab: 800)
    #expect(tokenizer.encode("ab<x><y>") == [800, 3, 4])
  }

  /// Python: `Tokenizer.from_str(...).decode(ids)` without a decoder joins the written tokens by spaces.
  @Test func withoutADecoderTokensArePartedBySpaces() throws {
    let tokenizer = try Tokenizer(json: [
      "model": ["type": "BPE", "vocab": ["a": 0, "b": 1, "ab": 2], "merges": ["a b"]],
      "decoder": nil,
    ])
    #expect(tokenizer.encode("aab") == [0, 2])
    #expect(tokenizer.decode([0, 2]) == Array("a ab".utf8))
  }
}

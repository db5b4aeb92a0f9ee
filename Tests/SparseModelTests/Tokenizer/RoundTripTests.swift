internal import SparseCore
internal import SparseModel
internal import Testing

/// What comes back from ids is what went in.
struct RoundTripTests {
  @Test(arguments: ["gpt2", "llama3", "llama3-ignore-merges", "smollm2"])
  func byteLevelGivesBackAnyBytes(kind: String) throws {
    let tokenizer = try TokenizerFixture.named(kind).tokenizer()
    for seed in UInt64(0)..<40 {
      var random = SplitMix64(seed: seed)
      for length in [0, 1, 2, 3, 17, 300] {
        let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(tokenizer.decode(tokenizer.encode(noise)) == noise, "seed \(seed): \(noise)")
        let text = RandomText.make(length: length, using: &random)
        let back = tokenizer.decode(tokenizer.encode(text))
        #expect(back == Array(text.utf8), "seed \(seed): \(text.debugDescription)")
      }
    }
  }

  @Test func sentencePieceGivesBackAnyTextWithoutMarkers() throws {
    let tokenizer = try TokenizerFixture.named("llama2").tokenizer()
    for seed in UInt64(0)..<40 {
      var random = SplitMix64(seed: seed)
      for length in [0, 1, 2, 3, 17, 300] {
        // A written "▁" comes back as a space.
        let scalars = RandomText.make(length: length, using: &random).unicodeScalars
        let text = String(String.UnicodeScalarView(scalars.filter { $0 != "▁" }))
        let back = tokenizer.decode(tokenizer.encode(text))
        #expect(back == Array(text.utf8), "seed \(seed): \(text.debugDescription)")
        let noise = (0..<length).map { _ in UInt8.random(in: 0x80...0xDF, using: &random) }
        #expect(tokenizer.decode(tokenizer.encode(noise)) == noise, "seed \(seed): \(noise)")
      }
    }
  }

  @Test(arguments: ["gpt2", "llama3", "llama2", "llama2-metaspace"])
  func composedAndDecomposedStayDifferent(kind: String) throws {
    let tokenizer = try TokenizerFixture.named(kind).tokenizer()
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    #expect(composed == decomposed)  // To a String they are the same.
    #expect(tokenizer.encode(composed) != tokenizer.encode(decomposed))
    #expect(tokenizer.decode(tokenizer.encode(composed)) == Array(composed.utf8))
    #expect(tokenizer.decode(tokenizer.encode(decomposed)) == Array(decomposed.utf8))
  }

  @Test func aNormalizerMakesThemTheSame() throws {
    let tokenizer = try TokenizerFixture.named("qwen2").tokenizer()
    #expect(tokenizer.encode("caf\u{E9}") == tokenizer.encode("cafe\u{301}"))
  }

  @Test func keysThatAreCanonicallyEqualAreTwoTokens() throws {
    let tokenizer = try Tokenizer(
      json: [
        "decoder": ["type": "Fuse"],
        "model": [
          "vocab": ["\u{E9}": 0, "e\u{301}": 1, "e": 2, "\u{301}": 3], "merges": ["e \u{301}"],
        ],
      ])
    #expect(tokenizer.encode("\u{E9}") == [0])
    #expect(tokenizer.encode("e\u{301}") == [1])
    #expect(tokenizer.id(of: "e\u{301}") == 1)
  }

  @Test func idsWithoutATokenAddNothing() throws {
    let tokenizer = try TokenizerFixture.named("gpt2").tokenizer()
    let beyond = Int32(tokenizer.vocabularySize)
    #expect(tokenizer.decode([-1, beyond, .max] + tokenizer.encode("a") + [.min]) == [0x61])
  }
}

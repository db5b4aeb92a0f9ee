internal import SparseCore
internal import Testing

@testable internal import SparseModel

struct BPETests {
  /// Merges by the definition: look at all pairs, join the one of lowest rank that comes first, repeat.
  private func slowMerge(_ word: [String], ranks: [[String]: Int]) -> [String] {
    var symbols = word
    while true {
      let pairs = zip(symbols, symbols.dropFirst()).enumerated().compactMap { place, pair in
        ranks[[pair.0, pair.1]].map { (rank: $0, place: place) }
      }
      guard let best = pairs.min(by: { ($0.rank, $0.place) < ($1.rank, $1.place) }) else {
        return symbols
      }
      symbols.replaceSubrange(
        best.place...best.place + 1, with: [symbols[best.place] + symbols[best.place + 1]])
    }
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func mergesAsTheDefinition(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    // Random merges over three letters: many ways to the same token, which trained ones never have.
    var tokens = ["a", "b", "c"]
    var merges: [[String]] = []
    while merges.count < 40 {
      let pair = [tokens, tokens].compactMap { $0.randomElement(using: &random) }
      if pair.joined().count > 8 || merges.contains(pair) { continue }
      merges.append(pair)
      if !tokens.contains(pair.joined()) { tokens.append(pair.joined()) }
    }
    let ids = Dictionary(uniqueKeysWithValues: zip(tokens, Int32(0)...))
    let ranks = Dictionary(uniqueKeysWithValues: zip(merges, 0...))
    let tokenizer = try Tokenizer(
      json: [
        "decoder": ["type": "Fuse"],
        "model": [
          "vocab": .object(tokens.enumerated().map { .init(key: $1, value: .integer($0)) }),
          "merges": .array(merges.map { .array($0.map { .string($0) }) }),
        ],
      ])
    for length in [1, 2, 3, 10, 150] {
      let word = (0..<length).map { _ in ["a", "b", "c"].randomElement(using: &random) ?? "a" }
      let expected = slowMerge(word, ranks: ranks).map { ids[$0] ?? -1 }
      #expect(tokenizer.encode(word.joined()) == expected, "seed \(seed): \(word.joined())")
    }
  }

  @Test(arguments: ["gpt2", "llama3", "smollm2"])
  func aWordThatComesAgainHasTheSameTokens(kind: String) throws {
    let tokenizer = try TokenizerFixture.named(kind).tokenizer()
    let text = " once upon a time\n\n"
    let ids = tokenizer.encode(text + "1")
    #expect(tokenizer.encode(text + "1" + text + "1") == ids + ids)
  }

  @Test func byteStringsAreNumberedInOrder() {
    var table = ByteStringTable()
    var random = SplitMix64(seed: 5)
    var expected: [[UInt8]: Int] = [:]
    for _ in 0..<2000 {
      let key = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
        UInt8.random(in: 0..<9, using: &random)
      }
      #expect(table.number(of: key.span) == expected[key])
      let number = table.insert(key.span)
      #expect(number == expected[key] ?? expected.count)
      expected[key] = number
      #expect(Array(table[number]) == key)
    }
    #expect(table.count == expected.count)
  }

  @Test func byteLettersAreThoseOfGPT2() {
    #expect(ByteAlphabet.scalars.count == 256)
    #expect(Set(ByteAlphabet.scalars).count == 256)
    #expect(ByteAlphabet.written(Array(" a\n\u{E9}".utf8).span) == Array("ĠaĊÃ©".utf8))
    #expect(ByteAlphabet.scalars.max() == 0x143)
    let all = (0...255).map { UInt8($0) }
    #expect(ByteAlphabet.read(ByteAlphabet.written(all.span).span) == all)
    #expect(ByteAlphabet.read(Array("a b".utf8).span) == nil)
  }
}

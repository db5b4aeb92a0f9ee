internal import SparseCore
internal import SparseModel
internal import Testing

/// What a `tokenizer.json` may ask for in vain, and what is wrong with others.
struct TokenizerErrorTests {
  @Test func theSmallestFileWorks() throws {
    let tokenizer = try Tokenizer(json: file())
    #expect(tokenizer.encode("ab") == [2])
    #expect(tokenizer.decode([2, 0]) == Array("aba".utf8))
  }

  @Test(
    arguments: [
      ("model", ["type": "Unigram"], "model Unigram"),
      ("model", ["type": "WordPiece"], "model WordPiece"),
      ("model", ["type": "BPE", "dropout": 0.1], "model BPE with dropout"),
      (
        "model", ["type": "BPE", "continuing_subword_prefix": "##"],
        "model BPE with continuing_subword_prefix"
      ),
      ("model", ["end_of_word_suffix": "</w>"], "model BPE with end_of_word_suffix"),
      ("normalizer", ["type": "Lowercase"], "normalizer Lowercase"),
      (
        "normalizer", ["type": "Sequence", "normalizers": [["type": "NFC"], ["type": "NFKC"]]],
        "normalizer NFKC"
      ),
      (
        "normalizer", ["type": "Replace", "pattern": ["Regex": "a+"], "content": "b"],
        "normalizer Replace of a regular expression"
      ),
      ("pre_tokenizer", ["type": "Whitespace"], "pre-tokenizer Whitespace"),
      (
        "pre_tokenizer",
        ["type": "Sequence", "pretokenizers": [["type": "ByteLevel"], ["type": "Digits"]]],
        "pre-tokenizer Digits after ByteLevel"
      ),
      (
        "pre_tokenizer",
        ["type": "Split", "pattern": ["String": " "], "behavior": "Isolated"],
        "pre-tokenizer Split by a string"
      ),
      (
        "pre_tokenizer",
        ["type": "Split", "pattern": ["Regex": .string(gpt2)], "behavior": "Removed"],
        "pre-tokenizer Split with behavior Removed"
      ),
      ("decoder", ["type": "WordPiece"], "decoder WordPiece"),
      (
        "decoder", ["type": "Sequence", "decoders": [["type": "Fuse"], ["type": "CTC"]]],
        "decoder CTC"
      ),
    ] as [(String, JSON, String)])
  func whatIsNotSupportedIsNamed(part: String, value: JSON, name: String) throws {
    let error = #expect(throws: TokenizerError.self) { try Tokenizer(json: file([part: value])) }
    #expect(error?.description == "\(name) is not supported")
  }

  @Test func anUnknownPatternIsQuoted() {
    let split: JSON = ["type": "Split", "pattern": ["Regex": #"\w+|\W+"#], "behavior": "Isolated"]
    let error = #expect(throws: TokenizerError.self) {
      try Tokenizer(json: file(["pre_tokenizer": split]))
    }
    #expect(
      error?.description
        == #"pre-tokenizer pattern \w+|\W+ is not supported (known: those of GPT-2, Llama 3 and"#
        + " Qwen2)")
  }

  @Test(
    arguments: [
      ("model", nil, .missing(key: "model")),
      ("model", ["vocab": nil], .missing(key: "model.vocab")),
      ("model", ["merges": nil], .missing(key: "model.merges")),
      (
        "model", ["vocab": []],
        .invalid(key: "model.vocab", expected: "an object", found: "an array")
      ),
      (
        "model", ["vocab": ["a": -1]],
        .invalid(key: "model.vocab.a", expected: "a token id below 16777216", found: "-1")
      ),
      (
        "model", ["vocab": ["a": 4_294_967_296]],
        .invalid(key: "model.vocab.a", expected: "a token id below 16777216", found: "4294967296")
      ),
      (
        "model", ["vocab": ["a": "b"]],
        .invalid(key: "model.vocab.a", expected: "a token id below 16777216", found: "b")
      ),
      (
        "model", ["vocab": ["a": 7, "b": 1, "ab": 7]],
        .sharedID(id: 7, first: "a", second: "ab")
      ),
      ("model", ["merges": ["a b", "ab"]], .malformedMerge(index: 1, text: "ab")),
      ("model", ["merges": ["a b c"]], .malformedMerge(index: 0, text: "a b c")),
      (
        "model", ["merges": [["a", "b", "c"]]],
        .malformedMerge(index: 0, text: #"["a","b","c"]"#)
      ),
      ("model", ["merges": [7]], .malformedMerge(index: 0, text: "7")),
      ("model", ["merges": ["a z"]], .mergeWithoutToken(index: 0, token: "z")),
      ("model", ["merges": [["b", "a"]]], .mergeWithoutToken(index: 0, token: "ba")),
      ("model", ["unk_token": "<unk>"], .unknownTokenMissing("<unk>")),
      (
        "model", ["byte_fallback": 1],
        .invalid(key: "model.byte_fallback", expected: "true or false", found: "1")
      ),
      ("normalizer", [:], .missing(key: "normalizer.type")),
      ("normalizer", ["type": "Prepend"], .missing(key: "normalizer.prepend")),
      (
        "normalizer", ["type": "Replace", "pattern": ["String": ""], "content": "x"],
        .invalid(
          key: "normalizer.pattern.String", expected: "a string that is not empty", found: "")
      ),
      (
        "pre_tokenizer", ["type": "Metaspace", "replacement": "ab"],
        .invalid(key: "pre_tokenizer.replacement", expected: "one character", found: "ab")
      ),
      (
        "pre_tokenizer", ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "last"],
        .invalid(
          key: "pre_tokenizer.prepend_scheme", expected: "always, first or never", found: "last")
      ),
      (
        "decoder", ["type": "Strip", "content": " ", "start": -1],
        .invalid(key: "decoder.start", expected: "a count", found: "-1")
      ),
      ("added_tokens", [["id": 2]], .missing(key: "added_tokens[0].content")),
      ("added_tokens", [["content": "<s>"]], .missing(key: "added_tokens[0].id")),
    ] as [(String, JSON?, TokenizerError)])
  func aFaultyFileIsRefused(part: String, value: JSON?, error: TokenizerError) {
    #expect(throws: error) { try Tokenizer(json: file([part: value])) }
  }

  /// Each step a few times longer: what a line of text becomes must not depend on how many there are.
  @Test(
    arguments: [
      (
        "normalizer",
        ["type": "Replace", "pattern": ["String": "a"], "content": "aaaa"], "normalizers"
      ),
      ("normalizer", ["type": "Prepend", "prepend": "\u{2581}\u{2581}"], "normalizers"),
      ("pre_tokenizer", ["type": "Metaspace", "replacement": "\u{2581}"], "pretokenizers"),
      ("decoder", ["type": "Replace", "pattern": ["String": "a"], "content": "aaaa"], "decoders"),
    ] as [(String, JSON, String)])
  func stepsThatMultiplyATextAreRefused(part: String, step: JSON, list: String) throws {
    func tokenizer(_ steps: Int) throws -> Tokenizer {
      let sequence = JSON.object([
        .init(key: "type", value: "Sequence"),
        .init(key: list, value: .array(Array(repeating: step, count: steps))),
      ])
      return try Tokenizer(json: file([part: sequence]))
    }
    #expect(throws: Never.self) { try tokenizer(2) }
    let error = #expect(throws: TokenizerError.self) { try tokenizer(40) }
    #expect(error == .growth(part: part, limit: 256))
    #expect(
      error?.description == "the steps of \(part) could make a text more than 256 times as long")
  }

  @Test func strippingStopsWhereThereIsNothingLeft() throws {
    let strip: JSON = ["type": "Strip", "content": "a", "start": .integer(.max), "stop": 1]
    let tokenizer = try Tokenizer(json: file(["decoder": strip]))
    #expect(tokenizer.decode([0, 2]) == Array("b".utf8))
    let both: JSON = ["type": "Strip", "content": "a", "start": 1, "stop": .integer(.max)]
    #expect(try Tokenizer(json: file(["decoder": both])).decode([2, 0, 0]) == Array("b".utf8))
  }

  @Test func aMissingFileIsNamed() {
    #expect(throws: TokenizerError.unreadable(.missing(path: "/no/such/tokenizer.json"))) {
      try Tokenizer(contentsOf: "/no/such/tokenizer.json")
    }
  }

  @Test func theUnknownTokenMayBeMissingWhereNothingIsUnknown() throws {
    let bytes = (0..<256).map { (byte: Int) in
      let digits = String(byte, radix: 16, uppercase: true)
      return JSON.Member(key: "<0x\(byte < 16 ? "0" : "")\(digits)>", value: .integer(byte))
    }
    let model: JSON = [
      "vocab": .object(bytes), "merges": [], "byte_fallback": true, "unk_token": "<unk>",
    ]
    #expect(try Tokenizer(json: file(["model": model])).encode("a\u{E9}") == [0x61, 0xC3, 0xA9])
  }

  @Test func theFirstLineOfMergesTextIsNoMerge() throws {
    let model: JSON = ["merges": ["#version: 0.2", "a b"]]
    #expect(try Tokenizer(json: file(["model": model])).encode("ab") == [2])
  }

  private static let gpt2 =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
}

/// A complete little file with some parts replaced; of `model`, the given members only.
private func file(_ parts: [String: JSON?] = [:]) -> JSON {
  var root: [String: JSON] = ["decoder": ["type": "Fuse"]]
  var model: [String: JSON] = ["vocab": ["a": 0, "b": 1, "ab": 2], "merges": ["a b"]]
  for (name, part) in parts {
    if name == "model", let members = part?.object {
      for member in members { model[member.key] = member.value }
    } else {
      root[name] = part
    }
  }
  if parts["model"] != .some(nil) { root["model"] = object(model) }
  return object(root)
}

private func object(_ members: [String: JSON]) -> JSON {
  .object(members.map { JSON.Member(key: $0, value: $1) })
}

import SparseCore
import TestSupport
import Testing

@Suite struct GlobTests {
  @Test(arguments: [
    ("model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"),
    ("*", ""), ("*", "a.b.c"), ("**", "a.b"), ("a*", "a"), ("*a", "a"),
    ("*.q_proj.*", "model.layers.11.self_attn.q_proj.weight"),
    ("model.layers.?.*", "model.layers.7.mlp.up_proj.weight"),
    ("*layers.[0-3].*", "model.layers.3.mlp"), ("[!a]", "b"), ("[^a]", "b"),
    ("[]]", "]"), ("[!]]", "a"), ("[a-]", "-"), ("[-a]", "-"), ("[a-c4]", "4"), ("[*]", "*"),
    ("a*b*c", "abbbc"), ("*ab", "aab"), ("*aab*", "aaaab"), ("?", "é"), ("]", "]"),
  ])
  func matchesWholeNames(pattern: String, name: String) throws {
    #expect(try Glob(pattern).matches(name))
  }

  @Test(arguments: [
    ("q_proj", "model.q_proj.weight"), ("a", ""), ("?", ""), ("?", "ab"), ("a*b", "abc"),
    ("model.layers.?.*", "model.layers.11.mlp"), ("[a-c]", "d"), ("[!a-c]", "b"), ("A", "a"),
    ("[ab]", "ab"), ("*ab", "aba"), ("a?c", "ac"), ("model.*", "model"), (".", "x"),
  ])
  func refusesEverythingElse(pattern: String, name: String) throws {
    #expect(try !Glob(pattern).matches(name))
  }

  @Test func composedAndDecomposedLettersAreDifferentNames() throws {
    #expect(try !Glob("\u{e9}").matches("e\u{301}"))
  }

  @Test func badPatternsAreErrors() {
    #expect(throws: GlobError.empty) { try Glob("") }
    #expect(throws: GlobError.openSet("a[b")) { try Glob("a[b") }
    #expect(throws: GlobError.openSet("[]")) { try Glob("[]") }
    #expect(throws: GlobError.backwardRange("[z-a]", low: "z", high: "a")) { try Glob("[z-a]") }
    #expect("\(GlobError.openSet("a[b"))" == "'[' without ']' in pattern 'a[b'")
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func agreesWithTheRecursiveDefinition(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<200 {
      let pattern = word(of: ["a", "b", "*", "?"], 1...7, &random)
      let name = word(of: ["a", "b"], 0...9, &random)
      let expected = reference(Array(pattern)[...], Array(name)[...])
      #expect(try Glob(pattern).matches(name) == expected, "\(pattern) on \(name), seed \(seed)")
    }
  }

  private func word(
    of letters: [Character], _ lengths: ClosedRange<Int>, _ random: inout SplitMix64
  ) -> String {
    let length = Int.random(in: lengths, using: &random)
    return String(
      (0..<length).map { _ in letters[Int.random(in: letters.indices, using: &random)] })
  }

  /// What `*` and `?` mean, one letter at a time.
  private func reference(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    if first == "*" {
      return reference(pattern.dropFirst(), name)
        || (!name.isEmpty && reference(pattern, name.dropFirst()))
    }
    guard let letter = name.first else { return false }
    return (first == "?" || first == letter) && reference(pattern.dropFirst(), name.dropFirst())
  }
}

import SparseCore
import Testing

@Suite struct Filler24Tests {
  static let rules: [Filler24] = [.compressedTensors, .pyTorch, .cuSPARSELt]

  /// The kept places of groups without a non-zero, and of those where only weight 0, 1, 2 or 3 is not 0.
  @Test func eachRuleKeepsWhatItsLibraryKeeps() {
    #expect(kept(.compressedTensors) == [[2, 3], [0, 2], [1, 3], [2, 3], [2, 3]])
    #expect(kept(.pyTorch) == [[2, 3], [0, 2], [1, 2], [2, 3], [2, 3]])
    #expect(kept(.cuSPARSELt) == [[2, 3], [0, 3], [1, 3], [2, 3], [2, 3]])
  }

  @Test(arguments: rules) func noNonZeroIsDropped(rule: Filler24) {
    for nibble in 0..<16 as Range<UInt8> {
      let pattern = rule.pattern(forNonZeros: nibble)
      if nibble.nonzeroBitCount > 2 {
        #expect(pattern == nil)
      } else {
        #expect(pattern.map { $0.rawValue & nibble } == nibble)
      }
      if nibble.nonzeroBitCount == 2 { #expect(pattern?.rawValue == nibble) }
      #expect(rule.table[Int(nibble)] == pattern?.rawValue ?? 0)
    }
    #expect(rule.table.count == 16)
  }

  private func kept(_ rule: Filler24) -> [[Int]] {
    [0b0000, 0b0001, 0b0010, 0b0100, 0b1000].map { nibble in
      rule.pattern(forNonZeros: nibble).map { [$0.kept.0, $0.kept.1] } ?? []
    }
  }
}

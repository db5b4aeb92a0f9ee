import SparseCore
import TestSupport
import Testing

/// Sums that do not depend on order or portions.
@Suite struct ExactSumsTests {
  /// Terms of all sizes and both signs that cancel for the most part: multiples of 2⁻⁵⁶ within the limit.
  private func terms(_ count: Int, seed: UInt64) -> [Float] {
    var random = SplitMix64(seed: seed)
    func term(_ exponents: ClosedRange<Int>) -> Float {
      Float.random(in: 1..<2, using: &random)
        * Float.exp2(Int.random(in: exponents, using: &random))
    }
    return (0..<count).flatMap { _ in
      let large = term(-32...38)
      return [large, term(-32...0), -large, -term(-32...0)]
    }
  }

  private func sum(_ terms: [Float]) -> ExactSums {
    var sums = ExactSums(count: 1)
    for term in terms { sums.add([Double(term)], on: .automatic) }
    return sums
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func everyOrderAndEveryPortionGivesTheExactSum(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let terms = terms(50, seed: seed)
    let whole = sum(terms)
    for _ in 0..<5 {
      let shuffled = terms.shuffled(using: &random)
      let cut = Int.random(in: 0...terms.count, using: &random)
      var parts = sum(Array(shuffled[..<cut]))
      let other = sum(Array(shuffled[cut...]))
      other.coarse.withUnsafeBytes { coarse in
        other.fine.withUnsafeBytes { parts.add(coarse: coarse, fine: $0) }
      }
      #expect(parts == whole, "seed \(seed)")
    }
    #expect(whole[0] == exact(terms), "seed \(seed)")
  }

  /// The sum of multiples of 2⁻⁵⁶ in 128 bits, rounded once.
  private func exact(_ terms: [Float]) -> Double {
    let sum = terms.reduce(Int128(0)) { sum, term in
      let units = Int128(term.significandBitPattern | 1 << 23)
      let shift = Int(term.exponent) - 23 + 56
      let magnitude = shift < 0 ? units >> -shift : units << shift
      return term < 0 ? sum - magnitude : sum + magnitude
    }
    return Double(sum) * 0x1p-56
  }

  @Test func float64SumsOfTheseTermsDependOnTheirOrder() {
    let sums = (0..<20 as Range<UInt64>).map { seed in
      let terms = terms(50, seed: seed).map(Double.init)
      return (terms.reduce(0, +), terms.sorted().reduce(0, +))
    }
    #expect(sums.contains { $0.0 != $0.1 })
  }

  @Test func termsTooSmallToBeExactAreWithinTheBound() {
    var random = SplitMix64(seed: 5)
    let terms = (0..<1000).map { _ in Float.random(in: -0x1p-34...0x1p-34, using: &random) }
    let exact = terms.reduce(0.0) { $0 + Double($1) }
    let error = abs(sum(terms)[0] - exact)
    #expect(error > 0)
    #expect(error <= 1000 * 0x1p-57 + 1e-25)
  }

  @Test func theLargestSumsDoNotOverflow() {
    let largest = ExactSums.limit.nextDown
    var sums = ExactSums(count: 2)
    for _ in 0..<ExactSums.mostTerms { sums.add([largest, -largest], on: .automatic) }
    let expected = largest * Double(ExactSums.mostTerms)
    #expect(abs(sums[0] / expected - 1) < 1e-15)
    #expect(sums[1] == -sums[0])
  }

  @Test(arguments: [1, 2, 7]) func threadsChangeNothing(threads: Int) {
    var random = SplitMix64(seed: 3)
    let terms = (0..<200_000).map { _ in Float.random(in: -4...4, using: &random) }
    var sums = ExactSums(count: terms.count)
    terms.withUnsafeBufferPointer { terms in
      guard let start = terms.baseAddress else { return }
      for _ in 0..<3 { sums.add(start, on: Compute(threads: threads)) }
    }
    for (index, term) in terms.enumerated() where sums[index] != 3 * Double(term) {
      Issue.record("\(index): \(sums[index]) is not three times \(term)")
      return
    }
  }
}

extension Float {
  fileprivate static func exp2(_ exponent: Int) -> Float {
    Float(sign: .plus, exponent: exponent, significand: 1)
  }
}

/// Sums that are the same bits in whatever order, and in whatever portions, their terms are added.
///
/// Sums of floating-point numbers depend on their order, even with float64 and a remainder beside it; whole
/// numbers do not. So each sum is a whole number of 2⁻⁵⁶, kept as `coarse` · 2⁻⁸ + `fine` · 2⁻⁵⁶ in two
/// 64-bit integers: a term is rounded to the nearest multiple of 2⁻⁸, the rest (of at most 2⁻⁹, and exact)
/// to the nearest multiple of 2⁻⁵⁶, and both are added as integers. What a term contributes depends on the
/// term alone, so portions may be summed anywhere and their sums added up later.
///
/// A float32 term of 2⁻³² (2.3e-10) or more in magnitude is a multiple of 2⁻⁵⁶ and enters without any
/// error, a smaller one with an error of at most 2⁻⁵⁷ (7e-18). So a sum of n terms is within n · 2⁻⁵⁷ of the
/// exact one, and exact where no term but 0 is smaller than that. The terms must be below ``limit`` in
/// magnitude and no more than ``mostTerms``: then no integer overflows.
package struct ExactSums: Sendable, Equatable {
  /// The magnitude that no term reaches: 2³⁹.
  package static let limit = 0x1p39
  /// The largest number of terms in a sum.
  package static let mostTerms = 65_535

  /// The multiples of 2⁻⁸ in each sum.
  package private(set) var coarse: [Int64]
  /// The multiples of 2⁻⁵⁶ in each sum, besides; either sign, and of any size.
  package private(set) var fine: [Int64]

  /// Sums of no terms yet: all zero.
  package init(count: Int) {
    coarse = [Int64](repeating: 0, count: count)
    fine = coarse
  }

  /// The number of sums.
  package var count: Int { coarse.count }

  /// Adds one term to each sum.
  package mutating func add(_ terms: UnsafePointer<Float>, on compute: Compute) {
    nonisolated(unsafe) let terms = terms
    addTerms(on: compute) { Double(terms[$0]) }
  }

  /// Adds one term to each sum.
  package mutating func add(_ terms: [Double], on compute: Compute) {
    precondition(terms.count == count, "ExactSums: \(terms.count) terms for \(count) sums")
    terms.withUnsafeBufferPointer { terms in
      nonisolated(unsafe) let terms = terms.start
      addTerms(on: compute) { terms[$0] }
    }
  }

  @inline(__always)
  private mutating func addTerms(on compute: Compute, _ term: @Sendable (Int) -> Double) {
    let count = count
    coarse.withUnsafeMutableBufferPointer { coarse in
      fine.withUnsafeMutableBufferPointer { fine in
        nonisolated(unsafe) let (coarse, fine) = (coarse.start, fine.start)
        Parallel.forEachRange(of: count, size: 1 << 16, threads: compute.threads) { range in
          for index in range {
            let (whole, rest) = ExactSums.split(term(index))
            coarse[index] &+= whole
            fine[index] &+= rest
          }
        }
      }
    }
  }

  /// The multiple of 2⁻⁸ nearest to a term, and the multiple of 2⁻⁵⁶ nearest to what is left.
  ///
  /// Adding 1.5 · 2⁴⁴ leaves a float64 whose last bit counts 2⁻⁸, so the sum is rounded there and its bits
  /// are those of 1.5 · 2⁴⁴ plus the multiple; the same with 1.5 · 2⁻⁴ for 2⁻⁵⁶.
  @inline(__always)
  private static func split(_ term: Double) -> (coarse: Int64, fine: Int64) {
    let coarseOrigin = 0x1.8p44
    let fineOrigin = 0x1.8p-4
    let shifted = term + coarseOrigin
    let rest = term - (shifted - coarseOrigin) + fineOrigin
    return (
      Int64(bitPattern: shifted.bitPattern &- coarseOrigin.bitPattern),
      Int64(bitPattern: rest.bitPattern &- fineOrigin.bitPattern)
    )
  }

  /// Adds sums of other terms that lie in a file, as little-endian integers, aligned or not.
  package mutating func add(coarse: UnsafeRawBufferPointer, fine: UnsafeRawBufferPointer) {
    precondition(
      coarse.count == 8 * count && fine.count == 8 * count,
      "ExactSums: \(coarse.count) and \(fine.count) bytes for \(count) sums")
    for index in 0..<count {
      let (a, b) = (
        coarse.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self),
        fine.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)
      )
      self.coarse[index] &+= Int64(littleEndian: a)
      self.fine[index] &+= Int64(littleEndian: b)
    }
  }

  /// A sum, rounded to float64; it depends on nothing but what the sum is.
  package subscript(index: Int) -> Double { ExactSums.value(coarse[index], fine[index]) }

  /// The number that two halves stand for: once they are brought to 0 ≤ fine < 2⁴⁸, each is a float64 below
  /// sums of 2⁴⁵, and their sum is the only rounding.
  private static func value(_ coarse: Int64, _ fine: Int64) -> Double {
    let whole = coarse &+ (fine >> 48)
    let rest = fine & ((1 << 48) - 1)
    return Double(whole) * 0x1p-8 + Double(rest) * 0x1p-56
  }
}

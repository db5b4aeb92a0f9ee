/// Keeps the two weights of largest magnitude in each group of four.
///
/// What NVIDIA's ASP does before it trains (Mishra et al. 2021, arXiv 2104.08378). Kept weights are
/// untouched. Of equal magnitudes the lower column is kept; ASP leaves that order to chance.
public struct Magnitude: MaskingPruner {
  /// Nothing but the weights.
  public let needs = StatisticsKind.none

  /// The method; it has no settings.
  public init() {}

  /// The mask of the two largest `|w|` in each group.
  public func mask(
    for weight: StoredMatrix, inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> Mask24 {
    try Mask24(keepingLargestOf: weight, scaledBy: nil, on: compute)
  }

  /// Chooses and applies the mask in one pass over stored weights, whole groups of four, and writes
  /// them to `out`, and says what is there.
  ///
  /// - Throws: ``PruningError/nonFiniteWeights(count:)``.
  package static func mask(
    _ weights: UnsafeRawBufferPointer, _ type: ScalarType,
    into out: UnsafeMutableRawBufferPointer, kernels: KernelSet
  ) throws(PruningError) -> MaskedValues {
    precondition(
      out.count == weights.count, "mask: \(weights.count) bytes do not fill \(out.count)")
    guard let from = weights.baseAddress, let to = out.baseAddress else { return MaskedValues() }
    var masked = MaskedValues()
    var bad = 0
    // A block at a time, which stays in the first-level cache for all four looks at it.
    for start in stride(from: 0, to: weights.count, by: 1 << 14) {
      let count = (min(start + 1 << 14, weights.count) - start) / type.byteCount
      bad += kernels.countNotFinite(count, type, from + start)
      kernels.magnitude24(count, type, from + start, into: to + start, mask: nil)
      masked.zeros += kernels.check24(count, type, to + start).zeros
      masked.addPatterns(count, type, to + start, kernels: kernels)
    }
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
    return masked
  }
}

/// What weights hold that are 2:4.
package struct MaskedValues: Sendable, Equatable {
  /// Values that are zero.
  package var zeros = 0
  /// Groups with exactly two values that are not zero, by their ``Pattern24`` in the order of its cases.
  package private(set) var patterns = [Int](repeating: 0, count: Pattern24.allCases.count)

  /// Nothing.
  package init() {}

  fileprivate mutating func addPatterns(
    _ count: Int, _ type: ScalarType, _ values: UnsafeRawPointer, kernels: KernelSet
  ) {
    kernels.addPatterns24(count, type, values, to: &patterns)
  }

  /// Adds what other weights hold.
  package static func += (sum: inout MaskedValues, more: MaskedValues) {
    sum.zeros += more.zeros
    for index in sum.patterns.indices { sum.patterns[index] += more.patterns[index] }
  }
}

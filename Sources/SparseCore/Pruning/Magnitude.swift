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
  /// them to `out`: the number of values that are zero there.
  ///
  /// - Throws: ``PruningError/nonFiniteWeights(count:)``.
  package static func mask(
    _ weights: UnsafeRawBufferPointer, _ type: ScalarType,
    into out: UnsafeMutableRawBufferPointer, kernels: KernelSet
  ) throws(PruningError) -> Int {
    precondition(
      out.count == weights.count, "mask: \(weights.count) bytes do not fill \(out.count)")
    guard let from = weights.baseAddress, let to = out.baseAddress else { return 0 }
    var zeros = 0
    var bad = 0
    // A block at a time, which stays in the first-level cache for all three looks at it.
    for start in stride(from: 0, to: weights.count, by: 1 << 14) {
      let count = (min(start + 1 << 14, weights.count) - start) / type.byteCount
      bad += kernels.countNotFinite(count, type, from + start)
      kernels.magnitude24(count, type, from + start, into: to + start, mask: nil)
      zeros += kernels.check24(count, type, to + start).zeros
    }
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
    return zeros
  }
}

/// Keeps the two weights of largest magnitude in each group of four.
///
/// What NVIDIA's ASP does before it trains (Mishra et al. 2021, arXiv 2104.08378). Kept weights are
/// untouched. Of equal magnitudes the lower column is kept; ASP leaves that order to chance.
public struct Magnitude: GroupPruner {
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

  /// Chooses and applies the masks in one pass.
  public func prune(
    _ weights: UnsafeRawBufferPointer, _ type: ScalarType,
    into out: UnsafeMutableRawBufferPointer, kernels: KernelSet
  ) throws(PruningError) -> MaskedValues {
    precondition(
      out.count == weights.count, "Magnitude: \(weights.count) bytes do not fill \(out.count)")
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

extension PruningMethod {
  /// Keep the largest weights: NVIDIA's ASP without its training.
  public static let magnitude = PruningMethod("magnitude") { _ in Magnitude() }
}

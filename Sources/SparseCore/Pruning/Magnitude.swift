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
    let count = weights.count / type.byteCount
    let bad = kernels.countNotFinite(count, type, from)
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
    kernels.magnitude24(count, type, from, into: to, mask: nil)
    return kernels.check24(count, type, to).zeros
  }
}

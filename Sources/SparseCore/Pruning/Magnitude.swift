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

  /// Chooses and applies the mask in one pass over stored rows: the pruned bytes, and how many values are zero in them.
  ///
  /// - Throws: ``PruningError`` as ``mask(for:inputs:on:)`` does.
  package static func masked(
    _ weight: StoredMatrix, kernels: KernelSet
  ) throws(PruningError) -> (bytes: ByteView, zeros: Int) {
    guard weight.columns % 4 == 0 else {
      throw .columnsNotMultipleOfFour(columns: weight.columns)
    }
    let bad = weight.countNotFinite(on: Compute(kernels: kernels, threads: 1))
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
    var zeros = 0
    let bytes = ByteView(count: weight.bytes.count) { out in
      guard let from = weight.bytes.bytes.baseAddress, let to = out.baseAddress else { return }
      let count = weight.rows * weight.columns
      kernels.magnitude24(count, weight.type, from, into: to, mask: nil)
      zeros = kernels.check24(count, weight.type, to).zeros
    }
    return (bytes, zeros)
  }
}

/// Keeps the two weights with the largest product of magnitude and input norm in each group of four.
///
/// The score is `|w_ij| · ‖x_j‖₂`, with the norm and not its square, over all calibration tokens
/// (Sun et al. 2023, arXiv 2306.11695, equation 1). Kept weights are untouched. Of equal scores the
/// lower column is kept, as the reference's stable sort does.
public struct Wanda: MaskingPruner {
  /// The norm of each input feature.
  public let needs = StatisticsKind.norms

  /// The method; it has no settings.
  public init() {}

  /// The mask of the two largest `|w_ij| · ‖x_j‖₂` in each group.
  public func mask(
    for weight: StoredMatrix, inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> Mask24 {
    guard let norms = inputs.norms else { throw .missingStatistics(needs) }
    return try Mask24(keepingLargestOf: weight, scaledBy: norms, on: compute)
  }
}

extension PruningMethod {
  /// Keep the largest products of weight and input norm.
  public static let wanda = PruningMethod("wanda") { _ in Wanda() }
}

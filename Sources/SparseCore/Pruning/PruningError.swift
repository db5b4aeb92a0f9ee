/// Why a weight could not be pruned.
public enum PruningError: Error, Equatable {
  /// Groups of four do not divide the reduction dimension.
  case columnsNotMultipleOfFour(columns: Int)
  /// The weight holds NaN or infinity.
  case nonFiniteWeights(count: Int)
  /// The statistics of some input feature are NaN or infinity.
  case nonFiniteInputs(count: Int)
  /// The method needs statistics that were not given.
  case missingStatistics(StatisticsKind)
  /// The statistics are of another width than the weight.
  case statisticsMismatch(columns: Int, features: Int)
  /// The gram of the inputs is not positive definite, even with this share of its mean diagonal added to the diagonal.
  case notPositiveDefinite(dampening: Double)
  /// The new weights are too large for their number format.
  case overflow(count: Int)
  /// The weight cannot be put on an INT8 grid.
  case quantization(QuantizationError)
  /// Groups of a weight that should be 2:4 have more than two values that are not 0.
  case notTwoOfFour(groups: Int)
  /// A pruned weight and its dense original have different numbers of rows.
  case denseMismatch(rows: Int, denseRows: Int)
}

extension PruningError: CustomStringConvertible {
  /// One line that says what is wrong, with the numbers.
  public var description: String {
    switch self {
    case .columnsNotMultipleOfFour(let columns):
      "2:4 groups run along the reduction dimension, and \(columns) inputs are not a multiple of 4"
    case .nonFiniteWeights(let count):
      "the weight holds \(count) NaN or infinite values"
    case .nonFiniteInputs(let count):
      "the calibration inputs of \(count) features are NaN or infinite"
    case .missingStatistics(let kind):
      "the method needs input \(kind), and none were given"
    case .statisticsMismatch(let columns, let features):
      "the weight has \(columns) inputs, the statistics \(features) features"
    case .notPositiveDefinite(let dampening):
      "the gram of the inputs is not positive definite, even with dampening \(dampening)"
    case .overflow(let count):
      "\(count) of the new weights are too large for the number format"
    case .quantization(let reason): "\(reason)"
    case .notTwoOfFour(let groups):
      "\(groups) groups of four hold more than two values that are not 0"
    case .denseMismatch(let rows, let denseRows):
      "the pruned weight has \(rows) outputs, the dense one \(denseRows)"
    }
  }
}

/// Why a weight could not be quantized.
public enum QuantizationError: Error, Equatable, Sendable {
  /// Groups of this size do not divide the columns, or would end within a 2:4 group of four.
  case groupSize(Int, columns: Int)
  /// The weight holds NaN or infinity.
  case nonFiniteWeights(count: Int)
}

extension QuantizationError: CustomStringConvertible {
  /// One line that says what is wrong, with the numbers.
  public var description: String {
    switch self {
    case .groupSize(let size, let columns):
      "groups of \(size) inputs: must be a multiple of 4 and divide the weight's \(columns)"
    case .nonFiniteWeights(let count): "the weight holds \(count) NaN or infinite values"
    }
  }
}

/// Why a weight cannot be compressed, or what should be a compressed weight is none.
public enum CompressionError: Error, Equatable {
  /// Groups of four do not divide the reduction dimension.
  case columnsNotMultipleOfFour(columns: Int)
  /// The first group with more than two values that are not 0, or with a NaN or an infinity.
  case notTwoOfFour(GroupViolation)
  /// A group of a mask does not keep two of its four.
  case brokenMask(row: Int, group: Int, kept: Int)
  /// The bits of a mask go on behind the last column.
  case maskBeyondColumns(row: Int, columns: Int)
}

extension CompressionError: CustomStringConvertible {
  /// One line with the row, the group and the numbers.
  public var description: String {
    switch self {
    case .columnsNotMultipleOfFour(let columns):
      "2:4 groups run along the reduction dimension, and \(columns) inputs are not a multiple of 4"
    case .notTwoOfFour(let violation): "it is not 2:4: \(violation)"
    case .brokenMask(let row, let group, let kept):
      "the mask of row \(row), group \(group) keeps \(kept) of 4, not 2"
    case .maskBeyondColumns(let row, let columns):
      "the mask of row \(row) goes on behind its \(columns) columns"
    }
  }
}

/// Why a weight cannot be compressed, or what should be a compressed weight is none.
public enum CompressionError: Error, Equatable {
  /// Groups of four do not divide the reduction dimension.
  case columnsNotMultipleOfFour(columns: Int)
  /// A group has more than two values that are not 0: the first such group, both numbers from 0.
  case tooManyNonZeros(row: Int, group: Int, nonZeros: Int)
  /// A group holds a NaN or an infinity.
  case notFinite(row: Int, group: Int)
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
    case .tooManyNonZeros(let row, let group, let nonZeros):
      "it is not 2:4: row \(row), group \(group) (columns \(4 * group) to \(4 * group + 3)) has \(nonZeros) non-zeros"
    case .notFinite(let row, let group):
      "row \(row), group \(group) (columns \(4 * group) to \(4 * group + 3)) holds a NaN or an infinity"
    case .brokenMask(let row, let group, let kept):
      "the mask of row \(row), group \(group) (columns \(4 * group) to \(4 * group + 3)) keeps \(kept) of 4, not 2"
    case .maskBeyondColumns(let row, let columns):
      "the mask of row \(row) goes on behind its \(columns) columns"
    }
  }
}

extension CompressionError {
  /// The first group of a weight that is not 2:4, of which there is at least one.
  init(firstViolationIn weight: StoredMatrix) {
    let kernels = Compute.automatic.kernels
    let size = weight.type.byteCount
    for row in 0..<weight.rows {
      let values = weight.bytes.bytes.start + row * weight.rowBytes
      for group in 0..<weight.columns / 4 {
        let found = kernels.check24(4, weight.type, values + 4 * group * size)
        if found.groupsOverTwo > 0 {
          self = .tooManyNonZeros(row: row, group: group, nonZeros: 4 - found.zeros)
          return
        }
        if found.groupsNotFinite > 0 {
          self = .notFinite(row: row, group: group)
          return
        }
      }
    }
    preconditionFailure("CompressionError: every group is 2:4")
  }
}

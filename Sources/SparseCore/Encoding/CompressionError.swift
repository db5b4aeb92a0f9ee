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
  /// The first group that is not 2:4 of rows of values, of which there is at least one.
  ///
  /// - Parameter firstRow: the number of the first of these rows in the weight that they are of.
  package init(
    firstViolationIn rows: UnsafeRawBufferPointer, columns: Int, type: ScalarType,
    firstRow: Int = 0
  ) {
    let kernels = Compute.automatic.kernels
    let groupBytes = 4 * type.byteCount
    for group in 0..<rows.count / groupBytes {
      let found = kernels.check24(4, type, rows.start + group * groupBytes)
      let (row, place) = (firstRow + group / (columns / 4), group % (columns / 4))
      if found.groupsOverTwo > 0 {
        self = .tooManyNonZeros(row: row, group: place, nonZeros: 4 - found.zeros)
        return
      }
      if found.groupsNotFinite > 0 {
        self = .notFinite(row: row, group: place)
        return
      }
    }
    preconditionFailure("CompressionError: every group is 2:4")
  }
}

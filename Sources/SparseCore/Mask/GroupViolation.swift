/// One group of four that is not 2:4: where it is, and what it holds.
///
/// ```swift
/// let weight = StoredMatrix(Matrix(rows: 2, columns: 4, [1, 0, 0, 2, 3, 4, 0, 5]))
/// GroupViolation(firstIn: weight)?.description  // row 1, group 0: 3 non-zeros
/// ```
public struct GroupViolation: Sendable, Equatable {
  /// The row, from 0; of a tensor with more dimensions all but the last are counted through.
  public let row: Int
  /// The group within the row, from 0: it begins at column 4 · `group`.
  public let group: Int
  /// The number of columns: 4, or less at the end of rows that groups do not divide.
  public let columns: Int
  /// The values that are neither +0.0 nor −0.0.
  public let nonZeros: Int
  /// Whether none of them is a NaN or an infinity.
  public let isFinite: Bool

  /// A group that someone has looked at.
  package init(row: Int, group: Int, columns: Int = 4, nonZeros: Int, isFinite: Bool) {
    self.row = row
    self.group = group
    self.columns = columns
    self.nonZeros = nonZeros
    self.isFinite = isFinite
  }

  /// What is wrong with the group, in a few words: `3 non-zeros`, `NaN or infinity`.
  public var reason: String {
    if nonZeros > 2 {
      return nonZeros.counting("non-zero") + (isFinite ? "" : ", NaN or infinity among them")
    }
    return isFinite ? "\(columns.counting("column")) instead of 4" : "NaN or infinity"
  }
}

extension GroupViolation: CustomStringConvertible {
  /// The place, then what is wrong.
  public var description: String { "row \(row), group \(group): \(reason)" }
}

extension GroupViolation {
  /// The first group of a matrix that ``PatternCheck`` counts as a violation, row by row and in each
  /// from the left; nil where there is none.
  public init?(firstIn weight: StoredMatrix, on compute: Compute = .automatic) {
    self.init(
      firstIn: weight.bytes, type: weight.type, rows: weight.rows, columns: weight.columns,
      on: compute)
  }

  /// The first violation in a matrix that is known by its bytes.
  ///
  /// - Parameter firstRow: what the first of these rows counts as.
  /// - Complexity: one pass over the rows up to the one with the violation, on one thread.
  public init?(
    firstIn bytes: ByteView, type: ScalarType, rows: Int, columns: Int, firstRow: Int = 0,
    on compute: Compute = .automatic
  ) {
    precondition(
      bytes.count == rows * columns * type.byteCount,
      "GroupViolation: \(rows) × \(columns) \(type) needs \(rows * columns * type.byteCount) bytes, got \(bytes.count)"
    )
    let whole = columns / 4 * 4
    let first = bytes.withUnsafeBytes { bytes -> GroupViolation? in
      for row in 0..<rows {
        let values = bytes.start + row * columns * type.byteCount
        let found = compute.kernels.check24(whole, type, values)
        guard whole < columns || found.groupsOverTwo + found.groupsNotFinite > 0 else { continue }
        for group in 0..<(columns + 3) / 4 {
          let violation = GroupViolation(
            row: firstRow + row, group: group, columns: min(4, columns - 4 * group), type,
            values + 4 * group * type.byteCount, compute.kernels)
          if let violation { return violation }
        }
      }
      return nil
    }
    guard let first else { return nil }
    self = first
  }

  /// The group of `columns` values at `values`; nil if it is 2:4.
  private init?(
    row: Int, group: Int, columns: Int, _ type: ScalarType, _ values: UnsafeRawPointer,
    _ kernels: KernelSet
  ) {
    // A shorter group is filled up with zeros, of which kernels want whole groups.
    let (nonZeros, notFinite) = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) {
      padded in
      padded.initializeMemory(as: UInt8.self, repeating: 0)
      padded.copyMemory(
        from: UnsafeRawBufferPointer(start: values, count: columns * type.byteCount))
      let start = UnsafeRawBufferPointer(padded).start
      return (4 - kernels.check24(4, type, start).zeros, kernels.countNotFinite(4, type, start))
    }
    guard nonZeros > 2 || notFinite > 0 || columns < 4 else { return nil }
    self.init(
      row: row, group: group, columns: columns, nonZeros: nonZeros, isFinite: notFinite == 0)
  }
}

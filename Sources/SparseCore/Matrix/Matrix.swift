/// A `rows × columns` matrix of float32 values, row-major.
///
/// Weights are `outputs × inputs` and activations `tokens × inputs`, as in checkpoints, so the
/// groups of four of a 2:4 pattern run along a row.
///
/// ```swift
/// var weight = Matrix(rows: 2, columns: 4, [1, -3, 2, 0.5, 4, 0, -1, 6])
/// weight[0, 1] = 3
/// ```
public struct Matrix: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The values, row after row: `rows · columns` of them.
  public internal(set) var values: [Float]

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, [Float](repeating: 0, count: rows * columns))
  }

  /// A matrix of the values given, row after row.
  public init(rows: Int, columns: Int, _ values: [Float]) {
    precondition(
      rows >= 0 && columns >= 0 && values.count == rows * columns,
      "Matrix: \(rows) × \(columns) needs \(rows * columns) values, got \(values.count)")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// A matrix whose values `fill` writes: it must set all `rows · columns` of them.
  package init(
    rows: Int, columns: Int, filledBy fill: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    let count = rows * columns
    self.rows = rows
    self.columns = columns
    self.values = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }

  /// The value at `row` and `column`.
  public subscript(row: Int, column: Int) -> Float {
    get {
      checkIndex(row, column)
      return values[row * columns + column]
    }
    set {
      checkIndex(row, column)
      values[row * columns + column] = newValue
    }
  }

  private func checkIndex(_ row: Int, _ column: Int) {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns,
      "Matrix: [\(row), \(column)] is outside \(rows) × \(columns)")
  }
}

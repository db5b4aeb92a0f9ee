package import SparseCore

/// A matrix in float64, row after row, for references.
package struct Matrix64: Sendable {
  /// The number of rows.
  package let rows: Int
  /// The number of columns.
  package let columns: Int
  /// The values, row after row.
  package var values: [Double]

  /// A matrix of the values given; zeros where there are none.
  package init(rows: Int, columns: Int, _ values: [Double]? = nil) {
    self.rows = rows
    self.columns = columns
    self.values = values ?? [Double](repeating: 0, count: rows * columns)
    precondition(self.values.count == rows * columns, "Matrix64: \(rows) × \(columns)")
  }

  /// The values of a float32 matrix.
  package init(_ matrix: Matrix) {
    self.init(rows: matrix.rows, columns: matrix.columns, matrix.values.map(Double.init))
  }

  /// The value at a row and a column.
  package subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// The magnitudes.
  package var magnitudes: Matrix64 { Matrix64(rows: rows, columns: columns, values.map(abs)) }

  /// Rows and columns exchanged.
  package var transposed: Matrix64 {
    var result = Matrix64(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns { result[column, row] = self[row, column] }
    }
    return result
  }

  /// The sum with a matrix of the same shape.
  package static func + (a: Matrix64, b: Matrix64) -> Matrix64 {
    Matrix64(rows: a.rows, columns: a.columns, zip(a.values, b.values).map(+))
  }
}

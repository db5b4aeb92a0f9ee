/// Rows, differences and norms of matrices.
extension Matrix {
  /// The rows at `indices`, in their order.
  package func gather(rows indices: [Int]) -> Matrix {
    Matrix(
      rows: indices.count, columns: columns,
      indices.flatMap { values[$0 * columns..<($0 + 1) * columns] })
  }

  /// Multiplies every value by `factor`.
  package mutating func scale(by factor: Float) {
    for index in values.indices { values[index] *= factor }
  }

  /// This matrix minus another of the same shape.
  package func minus(_ other: Matrix) -> Matrix {
    precondition(
      rows == other.rows && columns == other.columns,
      "minus: \(rows) × \(columns) and \(other.rows) × \(other.columns)")
    return Matrix(rows: rows, columns: columns) { out in
      for index in out.indices {
        out.initializeElement(at: index, to: values[index] - other.values[index])
      }
    }
  }

  /// How many values are NaN or infinite.
  package func countNotFinite(on compute: Compute = .automatic) -> Int {
    values.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return compute.kernels.countNotFinite(values.count, .float32, base)
    }
  }

  /// The square of the Frobenius norm: each row in float32, the rows added in float64 to `start`.
  package func sumOfSquares(addedTo start: Double = 0, on compute: Compute = .automatic) -> Double {
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return start }
      var sum = start
      for row in 0..<rows {
        let x = base + row * columns
        sum += Double(compute.kernels.dot(columns, x, x))
      }
      return sum
    }
  }
}

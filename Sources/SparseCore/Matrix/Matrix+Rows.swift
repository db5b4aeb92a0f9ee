/// Rows, differences and norms of matrices.
extension Matrix {
  /// The rows at `indices`, in their order.
  package func gather(rows indices: [Int]) -> Matrix {
    Matrix(
      rows: indices.count, columns: columns,
      indices.flatMap { values[$0 * columns..<($0 + 1) * columns] })
  }

  /// Neighbouring rows.
  package subscript(rows range: Range<Int>) -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "Matrix: rows \(range) of \(rows)")
    return Matrix(
      rows: range.count, columns: columns,
      Array(values[range.lowerBound * columns..<range.upperBound * columns]))
  }

  /// The rows of some matrices of equally many columns, one matrix after the other.
  package init(stacking parts: [Matrix], columns: Int) {
    var values: [Float] = []
    values.reserveCapacity(parts.reduce(0) { $0 + $1.values.count })
    for part in parts {
      precondition(
        part.columns == columns, "Matrix: \(part.columns) columns among \(columns)")
      values += part.values
    }
    self.init(rows: parts.reduce(0) { $0 + $1.rows }, columns: columns, values)
  }

  /// Sets every value to 0.
  package mutating func clear(on compute: Compute = .automatic) {
    let count = values.count
    values.withUnsafeMutableBufferPointer { values in
      nonisolated(unsafe) let start = values.start
      Parallel.forEachRange(of: count, size: 1 << 18, threads: compute.threads) {
        (start + $0.lowerBound).update(repeating: 0, count: $0.count)
      }
    }
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

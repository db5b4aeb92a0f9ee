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

  /// The square of the Frobenius norm: each row in float32, the rows added in float64.
  package func sumOfSquares(on compute: Compute = .automatic) -> Double {
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return 0 }
      var sum = 0.0
      for row in 0..<rows {
        let x = base + row * columns
        sum += Double(compute.kernels.dot(columns, x, x))
      }
      return sum
    }
  }
}

extension StoredMatrix {
  /// Some neighbouring rows of this matrix, where they lie.
  public func rows(_ range: Range<Int>) -> StoredMatrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "rows: \(range) is outside 0..<\(rows)")
    let rowBytes = columns * type.byteCount
    return StoredMatrix(
      rows: range.count, columns: columns, type: type,
      bytes: bytes[range.lowerBound * rowBytes..<range.upperBound * rowBytes])
  }

  /// A copy of a matrix in the number format `type`, rounded to nearest, ties to even.
  public init(_ matrix: Matrix, as type: ScalarType = .float32, on compute: Compute = .automatic) {
    self.init(
      rows: matrix.rows, columns: matrix.columns, type: type,
      bytes: ByteView(copying: matrix.storedBytes(as: type, on: compute)))
  }

  /// How many values are NaN or infinite.
  public func countNotFinite(on compute: Compute = .automatic) -> Int {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return compute.kernels.countNotFinite(rows * columns, type, base)
    }
  }
}

public import SparseCore

/// A square matrix in float64, for references.
public struct DoubleMatrix: Sendable {
  /// The number of rows and columns.
  public let size: Int
  /// The values, row after row.
  public var values: [Double]

  /// A matrix of zeros.
  public init(size: Int) {
    self.size = size
    values = [Double](repeating: 0, count: size * size)
  }

  /// The value at a row and a column.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * size + column] }
    set { values[row * size + column] = newValue }
  }

  /// XᵀX / tokens.
  public init(gramOf x: Matrix) {
    self.init(size: x.columns)
    for row in 0..<size {
      for column in 0...row {
        var sum = 0.0
        for token in 0..<x.rows {
          sum += Double(x.values[token * size + row]) * Double(x.values[token * size + column])
        }
        self[row, column] = sum / Double(x.rows)
        self[column, row] = self[row, column]
      }
    }
  }

  /// The values of a float32 matrix.
  public init(_ matrix: Matrix) {
    self.init(size: matrix.rows)
    values = matrix.values.map(Double.init)
  }

  /// Rounded to float32.
  public var matrix: Matrix { Matrix(rows: size, columns: size, values.map(Float.init)) }

  /// Rows and columns in reversed order.
  public var reversed: DoubleMatrix {
    var result = self
    result.values.reverse()
    return result
  }

  /// L with A = L Lᵀ, L lower triangular: the textbook's, column by column.
  public var cholesky: DoubleMatrix {
    var lower = DoubleMatrix(size: size)
    for column in 0..<size {
      for row in column..<size {
        var sum = self[row, column]
        for k in 0..<column { sum -= lower[row, k] * lower[column, k] }
        lower[row, column] = row == column ? sum.squareRoot() : sum / lower[column, column]
      }
    }
    return lower
  }

  /// R with A = R Rᵀ, R upper triangular.
  public var reversedCholesky: DoubleMatrix { reversed.cholesky.reversed }

  /// The inverse of a symmetric positive definite matrix: a solve with every unit vector.
  public var inverse: DoubleMatrix {
    let lower = cholesky
    var result = DoubleMatrix(size: size)
    for unit in 0..<size {
      var x = [Double](repeating: 0, count: size)
      x[unit] = 1
      for row in 0..<size {
        for k in 0..<row { x[row] -= lower[row, k] * x[k] }
        x[row] /= lower[row, row]
      }
      for row in (0..<size).reversed() {
        for k in row + 1..<max(size, row + 1) { x[row] -= lower[k, row] * x[k] }
        x[row] /= lower[row, row]
      }
      for row in 0..<size { result[row, unit] = x[row] }
    }
    return result
  }
}

extension Reference {
  /// ‖X(W−V)ᵀ‖ / ‖XWᵀ‖ from the gram.
  public static func relativeError(of changed: Matrix, for weight: Matrix, gram: DoubleMatrix)
    -> Double
  {
    let difference = zip(weight.values, changed.values).map { Double($0) - Double($1) }
    let error = trace(difference, rows: weight.rows, gram)
    return error == 0
      ? 0 : (error / trace(weight.values.map(Double.init), rows: weight.rows, gram)).squareRoot()
  }

  /// The trace of M G Mᵀ.
  private static func trace(_ m: [Double], rows: Int, _ gram: DoubleMatrix) -> Double {
    let size = gram.size
    var total = 0.0
    for row in 0..<rows {
      for i in 0..<size {
        var sum = 0.0
        for j in 0..<size { sum += gram.values[i * size + j] * m[row * size + j] }
        total += sum * m[row * size + i]
      }
    }
    return total
  }

  /// SparseGPT as published: the inverse of the dampened gram, its upper Cholesky factor, and every error sent to all columns to its right at once.
  ///
  /// - Returns: the pruned weights in float64, row after row, and which are kept.
  public static func sparseGPT(
    _ weight: Matrix, gram: DoubleMatrix, dampening: Double = 0.01
  ) -> (weight: Matrix, kept: [Bool]) {
    let (rows, size) = (weight.rows, weight.columns)
    var w = weight.values.map(Double.init)
    var dampened = gram
    for j in 0..<size where gram[j, j] == 0 {
      dampened[j, j] = 1
      for row in 0..<rows { w[row * size + j] = 0 }
    }
    let mean = (0..<size).reduce(0.0) { $0 + dampened[$1, $1] } / Double(size)
    for j in 0..<size { dampened[j, j] += dampening * mean }
    let lower = dampened.inverse.cholesky  // the upper factor, transposed
    var kept = [Bool](repeating: true, count: w.count)
    for row in 0..<rows {
      for j in 0..<size {
        if j % 4 == 0 {
          let order = (j..<j + 4).sorted { a, b in
            let (x, y) = (w[row * size + a] / lower[a, a], w[row * size + b] / lower[b, b])
            return x * x == y * y ? a < b : x * x > y * y
          }
          for column in order.dropFirst(2) { kept[row * size + column] = false }
        }
        let value = kept[row * size + j] ? w[row * size + j] : 0
        let error = (w[row * size + j] - value) / lower[j, j]
        for k in j..<size { w[row * size + k] -= error * lower[k, j] }
        w[row * size + j] = value
      }
    }
    return (Matrix(rows: rows, columns: size, w.map(Float.init)), kept)
  }

  /// A weight and its inputs, correlated and of very different sizes as in real models.
  public static func layer(
    rows: Int, columns: Int, tokens: Int, seed: UInt64
  ) -> (weight: Matrix, inputs: Matrix) {
    var random = SplitMix64(seed: seed)
    // About normal: a sum of four uniform numbers.
    func number() -> Double { (0..<4).reduce(-2.0) { sum, _ in sum + random.uniform() } }
    let weight = Matrix(
      rows: rows, columns: columns, (0..<rows * columns).map { _ in Float(number()) })
    let scales = (0..<columns).map { _ in 0.2 + 2 * random.uniform() * random.uniform() }
    let shared = (0..<6).map { _ in (0..<columns).map { _ in number() } }
    var values: [Float] = []
    for _ in 0..<tokens {
      let factors = shared.map { _ in number() }
      for column in 0..<columns {
        let common = zip(factors, shared).reduce(0.0) { $0 + $1.0 * $1.1[column] }
        values.append(Float(scales[column] * (number() + common)))
      }
    }
    return (weight, Matrix(rows: tokens, columns: columns, values))
  }
}

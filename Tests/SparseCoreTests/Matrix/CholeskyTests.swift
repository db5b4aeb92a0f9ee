import TestSupport
import Testing

@testable import SparseCore

@Suite struct CholeskyTests {
  /// Sizes around the tile of 48, the pass of 240 and the block of 192.
  static let sizes = [1, 3, 47, 48, 49, 100, 193, 250]

  /// A gram of a few more tokens than inputs, its diagonal raised by a tenth.
  static func positiveDefinite(_ size: Int, seed: UInt64 = 1) -> Matrix {
    var gram = DoubleMatrix(gramOf: randomMatrix(size + 8, size, seed: seed))
    for index in 0..<size { gram[index, index] *= 1.1 }
    return gram.matrix
  }

  /// R R^T is the matrix to (n + 1) u |R| |R|^T (Higham 2002, theorem 10.3), and |R| |R|^T at i, j is at most √(g_ii g_jj).
  @Test(arguments: KernelSet.available, sizes)
  func theFactorTimesItsTransposeIsTheMatrix(kernels: KernelSet, size: Int) throws {
    let matrix = Self.positiveDefinite(size)
    let factor = try Cholesky(matrix, on: Compute(kernels: kernels, threads: 2))
    let lower = factor.lowerMatrix  // R^T
    for i in 0..<size {
      for j in 0...i {
        let product = (i..<size).reduce(0.0) {
          $0 + Double(lower[$1, i]) * Double(lower[$1, j])
        }
        let scale = Double(matrix[i, i] * matrix[j, j]).squareRoot()
        let bound = Double(size + 1) * Double(Float.ulpOfOne) * scale
        #expect(abs(product - Double(matrix[i, j])) <= bound, "[\(i), \(j)]")
      }
    }
  }

  @Test(arguments: KernelSet.available)
  func theFactorIsThatOfTheReversedMatrix(kernels: KernelSet) throws {
    let matrix = Self.positiveDefinite(100)
    let expected = DoubleMatrix(matrix).reversedCholesky
    let lower = try Cholesky(matrix, on: Compute(kernels: kernels)).lowerMatrix
    for i in 0..<100 {
      for j in 0..<100 {
        #expect(abs(Double(lower[j, i]) - expected[i, j]) < 1e-5, "[\(i), \(j)]")
      }
    }
  }

  /// (G + E) x = b with |E| at most (3 n + 1) u |R| |R|^T (Higham 2002, theorem 10.4).
  @Test(arguments: KernelSet.available, sizes)
  func solutionsSatisfyTheirEquations(kernels: KernelSet, size: Int) throws {
    let compute = Compute(kernels: kernels, threads: 2)
    let matrix = Self.positiveDefinite(size)
    let factor = try Cholesky(matrix, on: compute)
    for count in [1, 48, 101] {
      let sides = randomMatrix(count, size, seed: 2)
      let x = factor.solve(sides, on: compute)
      for row in [0, count / 2, count - 1] {
        for j in 0..<size {
          var (sum, scale) = (0.0, 0.0)
          for i in 0..<size {
            sum += Double(x[row, i]) * Double(matrix[i, j])
            scale += abs(Double(x[row, i])) * Double(matrix[i, i] * matrix[j, j]).squareRoot()
          }
          let bound = Double(3 * size + 1) * Double(Float.ulpOfOne) * scale
          #expect(abs(sum - Double(sides[row, j])) <= bound, "[\(row), \(j)] of \(count)")
        }
      }
    }
  }

  @Test(arguments: KernelSet.available)
  func bitsDoNotDependOnThreads(kernels: KernelSet) throws {
    let matrix = Self.positiveDefinite(400)
    let sides = randomMatrix(150, 400, seed: 3)
    let one = Compute(kernels: kernels, threads: 1)
    let factor = try Cholesky(matrix, on: one)
    let solution = factor.solve(sides, on: one)
    for threads in [2, 5] {
      let compute = Compute(kernels: kernels, threads: threads)
      let other = try Cholesky(matrix, on: compute)
      #expect(bits(other.lowerMatrix.values) == bits(factor.lowerMatrix.values))
      #expect(bits(other.solve(sides, on: compute).values) == bits(solution.values))
    }
  }

  @Test func aGramIsFactoredLikeItsMatrix() throws {
    let matrix = Self.positiveDefinite(130)
    let diagonal = (0..<130).map { matrix[$0, $0] }
    let factor = try Cholesky(Gram(matrix, tokens: 1), diagonal: diagonal)
    #expect(factor.lowerMatrix == (try Cholesky(matrix)).lowerMatrix)
  }

  @Test(arguments: KernelSet.available, [Float(-1), 0, .nan, .infinity])
  func aBadPivotIsNamed(kernels: KernelSet, pivot: Float) {
    var matrix = Matrix(rows: 60, columns: 60)
    for index in 0..<60 { matrix[index, index] = 1 }
    for row in [5, 52] {
      var bad = matrix
      bad[row, row] = pivot
      #expect(throws: CholeskyError.notPositiveDefinite(row: row)) {
        try Cholesky(bad, on: Compute(kernels: kernels))
      }
    }
  }

  @Test func nothingHasAFactorOfNothing() throws {
    let factor = try Cholesky(Matrix(rows: 0, columns: 0))
    #expect(factor.solve(Matrix(rows: 3, columns: 0)).values.isEmpty)
  }
}

extension Cholesky {
  /// Rᵀ as an ordinary matrix.
  fileprivate var lowerMatrix: Matrix {
    let width = KernelSet.panelWidth
    var matrix = Matrix(rows: size, columns: size)
    for row in 0..<size {
      for column in 0...row {
        matrix[row, column] =
          lower.tile(row / width, column / width)[row % width * width + column % width]
      }
    }
    return matrix
  }
}

@Suite struct GramProductTests {
  @Test(arguments: KernelSet.available, [(1, 4), (3, 48), (70, 100), (33, 200)])
  func theSquaredOutputIsThatOfTheProduct(kernels: KernelSet, shape: (Int, Int)) {
    let (outputs, inputs) = shape
    let compute = Compute(kernels: kernels, threads: 2)
    let x = randomMatrix(50, inputs, seed: 5)
    let weight = randomMatrix(outputs, inputs, seed: 6)
    var gram = Gram(inputs: inputs)
    gram.add(x, on: compute)
    var expected = 0.0
    for token in 0..<50 {
      for output in 0..<outputs {
        let value = exactDot(row(x, token), row(weight, output)).value
        expected += value * value
      }
    }
    let got = gram.squaredOutput(of: weight, on: compute)
    #expect(abs(got - expected) <= 1e-5 * expected)
    let other = Compute(kernels: kernels, threads: 5)
    #expect(gram.squaredOutput(of: weight, on: other) == got)
  }

  /// 220 inputs are 5 rows of tiles: stripes of 4 and 1.
  @Test(arguments: [30, Gram.blockTokens + 300])
  func stripesOfTheProductChangeNoBit(rows: Int) {
    let x = randomMatrix(40, 220, seed: 8)
    let weight = RowSource(StoredMatrix(randomMatrix(rows, 220, seed: 9), as: .bfloat16))
    var gram = Gram(inputs: 220)
    gram.add(x)
    let whole = gram.squaredOutput(of: weight)
    for (bytes, threads) in [(0, 3), (Gram.byteCount(inputs: 220) / 2, 1)] {
      let compute = Compute(threads: threads)
      #expect(gram.squaredOutput(of: weight, stripeBytes: bytes, on: compute) == whole)
    }
    let least = Gram.squaredOutputBytes(inputs: 220, rows: rows, stripeBytes: 0)
    #expect(least < Gram.squaredOutputBytes(inputs: 220, rows: rows))
  }

  /// Fewer tokens than a block, as many, and more.
  @Test(arguments: [0, 7, Gram.blockTokens, Gram.blockTokens + 9, 2 * Gram.blockTokens + 1])
  func closingKeepsEveryValue(tokens: Int) {
    var gram = Gram(inputs: 52)
    gram.add(randomMatrix(tokens, 52, seed: 10))
    var closed = gram
    closed.close()
    #expect(closed.matrix == gram.matrix)
    #expect(closed.norms == gram.norms)
    let weight = randomMatrix(5, 52, seed: 11)
    #expect(closed.squaredOutput(of: weight) == gram.squaredOutput(of: weight))
    #expect(
      closed.rearranged(by: (0..<52).reversed()).matrix
        == gram.rearranged(by: (0..<52).reversed()).matrix)
  }

  @Test func finishedBlocksCountToo() {
    let x = randomMatrix(Gram.blockTokens + 10, 8, seed: 7)
    var gram = Gram(inputs: 8)
    gram.add(x)
    let ones = Matrix(rows: 1, columns: 8, [1, 0, 0, 0, 0, 0, 0, 0])
    let square = Double(gram.norms[0]) * Double(gram.norms[0])
    #expect(abs(gram.squaredOutput(of: ones) - square) <= 1e-6 * square)
  }

  @Test func aGramOfAMatrixIsThatMatrix() {
    let matrix = CholeskyTests.positiveDefinite(60)
    let gram = Gram(matrix, tokens: 4)
    #expect(gram.matrix == matrix)
    #expect(gram.tokens == 4)
  }
}

import TestSupport
import Testing

@testable import SparseCore

@Suite struct LogitComparisonTests {
  /// KL(p ‖ q) as it is defined, in float64.
  private func divergence(_ a: [Double], _ b: [Double]) -> Double {
    func logProbabilities(_ x: [Double]) -> [Double] {
      let most = x.max() ?? 0
      let total = x.reduce(0) { $0 + Math.exponential($1 - most) }
      return x.map { $0 - most - Math.logarithm(total) }
    }
    return zip(logProbabilities(a), logProbabilities(b)).reduce(0) {
      $0 + Math.exponential($1.0) * ($1.0 - $1.1)
    }
  }

  private func compare(
    _ a: Matrix, _ b: Matrix, kernels: KernelSet, threads: Int = 2
  ) -> LogitComparison {
    let compute = Compute(kernels: kernels, threads: threads)
    var comparison = LogitComparison(rows: a.rows)
    for range in unevenChunks(a.columns) {
      func block(_ matrix: Matrix) -> Matrix {
        Matrix(
          rows: a.rows, columns: range.count,
          (0..<a.rows).flatMap { row in range.map { matrix[row, $0] } })
      }
      comparison.add(block(a), block(b), on: compute)
    }
    return comparison
  }

  @Test(arguments: KernelSet.available, [1, 2, 7, 16, 33, 200])
  func divergenceIsThatOfItsDefinition(kernels: KernelSet, width: Int) {
    let rows = 5
    let a = Matrix(
      rows: rows, columns: width, randomFloats(rows * width, seed: 3).map { $0 * 8 })
    for scale: Float in [0.001, 0.1, 1, 10] {
      let noise = randomFloats(rows * width, seed: 4)
      let b = Matrix(rows: rows, columns: width, zip(a.values, noise).map { $0 + scale * $1 })
      let comparison = compare(a, b, kernels: kernels)
      for row in 0..<rows {
        let (x, y) = (
          (0..<width).map { Double(a[row, $0]) }, (0..<width).map { Double(b[row, $0]) }
        )
        let expected = divergence(x, y)
        let found = comparison.divergences[row]
        #expect(
          abs(found - expected) <= 1e-6 * max(1, Double(scale)), "\(found), expected \(expected)")
        let top = x.firstIndex(of: x.max() ?? 0) == y.firstIndex(of: y.max() ?? 0)
        #expect(comparison.agreements[row] == top)
      }
    }
  }

  @Test(arguments: KernelSet.available)
  func aModelIsAtNoDistanceFromItself(kernels: KernelSet) {
    let a = Matrix(rows: 3, columns: 100, randomFloats(300, seed: 5).map { $0 * 20 })
    let comparison = compare(a, a, kernels: kernels)
    #expect(comparison.divergences == [0, 0, 0])
    #expect(comparison.agreements == [true, true, true])
    #expect(comparison.referenceNormalisers == comparison.otherNormalisers)
  }

  @Test func theFirstOfEqualLogitsIsTheMostLikely() {
    let a = Matrix(rows: 2, columns: 4, [1, 3, 3, 0, 2, 2, 2, 2])
    let b = Matrix(rows: 2, columns: 4, [0, 1, 2, 2, 5, 5, 1, 1])
    #expect(compare(a, b, kernels: Compute.automatic.kernels).agreements == [false, true])
  }

  @Test(arguments: KernelSet.available)
  func whatIsNotANumberHasNoDistance(kernels: KernelSet) {
    let a = Matrix(rows: 1, columns: 40, randomFloats(40, seed: 8))
    let b = Matrix(rows: 1, columns: 40, [Float](repeating: .nan, count: 40))
    #expect(compare(a, b, kernels: kernels).divergences[0].isNaN)
    #expect(compare(b, a, kernels: kernels).divergences[0].isNaN)
  }

  @Test(arguments: KernelSet.available)
  func threadsChangeNoBit(kernels: KernelSet) {
    let a = Matrix(rows: 40, columns: 3000, randomFloats(120_000, seed: 6).map { $0 * 9 })
    let b = Matrix(rows: 40, columns: 3000, randomFloats(120_000, seed: 7).map { $0 * 9 })
    let one = compare(a, b, kernels: kernels, threads: 1)
    let many = compare(a, b, kernels: kernels, threads: 5)
    #expect(one.divergences == many.divergences)
  }
}

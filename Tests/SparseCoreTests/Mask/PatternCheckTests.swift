import SparseCore
import TestSupport
import Testing

@Suite struct PatternCheckTests {
  /// Groups with 0 to 4 non-zeros, signed zeros, and values that are not finite.
  static let values: [Float] = [
    0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, -0.0, 1, 2, 3, 0,
    1, 2, 3, 4, .nan, 0, 0, 0, 1, .infinity, 0, 0, .nan, 1, 1, 0,
  ]

  @Test(arguments: KernelSet.available, ScalarType.floatingPoint)
  func countsWhatTheGroupsHold(kernels: KernelSet, type: ScalarType) {
    let compute = Compute(kernels: kernels)
    let weight = StoredMatrix(
      Matrix(rows: 2, columns: 16, Self.values), as: type, on: compute)
    let check = PatternCheck(weight, countsPatterns: true, on: compute)
    #expect(check.groups == 8)
    #expect(check.groupsWithMoreThanTwo == 3)
    #expect(check.groupsNotFinite == 2)
    #expect(check.violations == 5)
    #expect(check.zeros == 4 + 3 + 2 + 1 + 3 + 2 + 1)
    #expect(check.patterns == [2, 0, 0, 0, 0, 0])
  }

  @Test(arguments: [(0, 8), (1, 4), (37, 260), (300, 1028)])
  func agreesWithTheObviousCount(shape: (Int, Int)) {
    let weight = Matrix.withTies(rows: shape.0, columns: shape.1, seed: 3)
    let groups = stride(from: 0, to: weight.values.count, by: 4).map { start in
      (0..<4).filter { weight.values[start + $0] != 0 }
    }
    for threads in [1, 2, 7] {
      let check = PatternCheck(
        StoredMatrix(weight, as: .bfloat16), countsPatterns: true, on: Compute(threads: threads))
      #expect(check.groups == groups.count)
      #expect(check.violations == groups.count { $0.count > 2 })
      #expect(check.zeros == weight.values.count { $0 == 0 })
      #expect(
        check.patterns
          == Pattern24.allCases.map { pattern in
            groups.count { $0 == [pattern.kept.0, pattern.kept.1] }
          })
    }
  }

  @Test func aRowWhoseLastGroupIsShorterIsAViolation() {
    let check = PatternCheck(StoredMatrix(Matrix(rows: 3, columns: 6)))
    #expect(check.groups == 6)
    #expect(check.violations == 3)
  }

  @Test func signedBytesAreLookedAtToo() {
    let bytes = ByteView(copying: [1, 0, 255, 0, 128, 1, 1, 0].map { UInt8($0) })
    let check = PatternCheck(bytes, type: .int8, rows: 1, columns: 8, countsPatterns: true)
    #expect(check.violations == 1)
    #expect(check.patterns == [0, 1, 0, 0, 0, 0])
  }
}

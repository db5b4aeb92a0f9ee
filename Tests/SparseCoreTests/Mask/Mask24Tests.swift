import SparseCore
import TestSupport
import Testing

@Suite struct Mask24Tests {
  @Test(arguments: KernelSet.available, [(0, 4), (1, 4), (3, 12), (5, 64), (2, 68), (7, 260)])
  func keepsTheTwoLargestAndOfTiesTheLower(kernels: KernelSet, shape: (Int, Int)) throws {
    for seed in 0..<8 as Range<UInt64> {
      let scores = Matrix.withTies(rows: shape.0, columns: shape.1, seed: seed)
      let mask = try Mask24(keepingLargest: scores, on: Compute(kernels: kernels))
      #expect(mask.kept == Reference.keptByScore(scores), "seed \(seed)")
    }
  }

  @Test(arguments: KernelSet.available, ScalarType.floatingPoint)
  func storedWeightsAreScoredByMagnitudeTimesFactor(kernels: KernelSet, type: ScalarType) throws {
    let compute = Compute(kernels: kernels)
    for seed in 0..<8 as Range<UInt64> {
      let weight = Matrix.withTies(rows: 6, columns: 76, seed: seed)
      var random = SplitMix64(seed: seed ^ 99)
      let factors = (0..<76).map { _ in Float(Int.random(in: 0...4, using: &random)) }
      let scores = Matrix(
        rows: 6, columns: 76,
        weight.values.indices.map { abs(weight.values[$0]) * factors[$0 % 76] })
      let stored = StoredMatrix(weight, as: type, on: compute)
      let scaled = try Mask24(keepingLargestOf: stored, scaledBy: factors, on: compute)
      #expect(scaled.kept == Reference.keptByScore(scores), "seed \(seed)")
      let plain = try Mask24(keepingLargestOf: stored, scaledBy: nil, on: compute)
      let magnitudes = Matrix(rows: 6, columns: 76, weight.values.map(abs))
      #expect(plain.kept == Reference.keptByScore(magnitudes), "seed \(seed)")
    }
  }

  @Test(arguments: ScalarType.floatingPoint)
  func whatIsKeptStaysBitForBitAndTheRestIsPlusZero(type: ScalarType) throws {
    let weight = StoredMatrix(Matrix.withTies(rows: 9, columns: 20, seed: 5), as: type)
    let mask = try Mask24(keepingLargestOf: weight, scaledBy: nil)
    let pruned = mask.applied(to: weight)
    let (before, after) = (Array(weight.bytes.bytes), Array(pruned.bytes.bytes))
    for (index, isKept) in mask.kept.enumerated() {
      let value = index * type.byteCount..<(index + 1) * type.byteCount
      #expect(
        Array(after[value])
          == (isKept ? Array(before[value]) : Array(repeating: 0, count: type.byteCount)))
    }
    #expect(Matrix(pruned) == mask.applied(to: Matrix(weight)))
    #expect(mask.violations(in: Matrix(pruned)) == 0)
  }

  @Test func theBytesAreTheSameForAnyNumberOfThreads() throws {
    let scores = Matrix.withTies(rows: 300, columns: 132, seed: 1)
    let one = try Mask24(keepingLargest: scores, on: Compute(threads: 1))
    for threads in [2, 3, 7] {
      #expect(try Mask24(keepingLargest: scores, on: Compute(threads: threads)) == one)
    }
  }

  @Test func everyGroupHasOneOfTheSixPatterns() throws {
    let scores = Matrix(
      rows: 6, columns: 4,
      [
        2, 1, 0, 0, 2, 0, 1, 0, 0, 2, 1, 0, 2, 0, 0, 1, 0, 2, 0, 1, 0, 0, 1, 2,
      ])
    let mask = try Mask24(keepingLargest: scores)
    #expect((0..<6).map { mask.pattern(row: $0, group: 0) } == Pattern24.allCases)
    #expect(Pattern24.allCases.map(\.metadata) == [0b0100, 0b1000, 0b1001, 0b1100, 0b1101, 0b1110])
    #expect(mask.bytes == [0b0011, 0b0101, 0b0110, 0b1001, 0b1010, 0b1100])
  }

  @Test(arguments: [1, 2, 3, 6, 63]) func columnsThatAreNoMultipleOfFourAreRefused(columns: Int) {
    #expect(throws: PruningError.columnsNotMultipleOfFour(columns: columns)) {
      try Mask24(keepingLargest: Matrix(rows: 2, columns: columns))
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func weightsThatAreNotFiniteAreRefused(value: Float) {
    var weight = Matrix.withTies(rows: 3, columns: 8, seed: 2)
    weight[1, 5] = value
    weight[2, 0] = value
    #expect(throws: PruningError.nonFiniteWeights(count: 2)) {
      try Magnitude().prune(weight, inputs: .none, on: .automatic)
    }
  }

  @Test(arguments: [(0, 0), (0, 8), (3, 0)]) func aMatrixWithoutValuesHasAMask(
    rows: Int, columns: Int
  ) throws {
    let weight = Matrix(rows: rows, columns: columns)
    let mask = try Mask24(keepingLargest: weight)
    #expect(mask.bytes.isEmpty)
    #expect(mask.applied(to: weight) == weight)
    for type in ScalarType.floatingPoint {
      let stored = StoredMatrix(weight, as: type)
      #expect(mask.applied(to: stored).bytes.count == 0)
      #expect(try Mask24(keepingLargestOf: stored, scaledBy: nil) == mask)
    }
    let int8 = StoredMatrix(quantizing: weight, on: try Int8Grid(for: weight))
    #expect(mask.applied(to: int8).grid == int8.grid)
    #expect(mask.violations(in: weight) == 0)
    #expect(try Magnitude().prune(weight, inputs: .none, on: .automatic).weight == weight)
  }

  @Test func violationsAreGroupsWithSomethingOutsideTheMask() throws {
    let mask = try Mask24(
      keepingLargest: Matrix(rows: 1, columns: 8, [4, 3, 0, 0, 0, 0, 3, 4]))
    #expect(mask.violations(in: Matrix(rows: 1, columns: 8, [1, 1, -0.0, 0, 0, 0, 1, 1])) == 0)
    #expect(mask.violations(in: Matrix(rows: 1, columns: 8, [1, 1, 1, 1, 0, 0, 1, 1])) == 1)
    #expect(mask.violations(in: Matrix(rows: 1, columns: 8, [1, 1, 1, 0, .nan, 0, 1, 1])) == 2)
  }
}

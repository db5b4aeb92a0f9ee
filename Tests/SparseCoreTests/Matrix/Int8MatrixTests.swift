internal import SparseCore
internal import TestSupport
internal import Testing

/// INT8 matrices where other stored matrices go.
@Suite struct Int8MatrixTests {
  private static let shapes = [(1, 1, 1), (3, 12, 4), (50, 96, 32), (97, 70, 70), (48, 160, 8)]

  /// A weight, its grid, and the float32 values that the codes stand for by the definition.
  private func example(
    _ rows: Int, _ columns: Int, groupSize: Int
  ) throws -> (stored: StoredMatrix, values: Matrix) {
    let weight = randomMatrix(rows, columns, seed: UInt64(rows))
    let grid = try Int8Grid(for: weight, groupSize: groupSize)
    var values = Matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let scale = grid.scale(row: row, column: column)
        values[row, column] = (weight[row, column] / scale).rounded(.toNearestOrEven) * scale
      }
    }
    return (StoredMatrix(quantizing: weight, on: grid), values)
  }

  @Test(arguments: KernelSet.available, shapes)
  func valuesAreCodesTimesScales(kernels: KernelSet, shape: (Int, Int, Int)) throws {
    let (stored, values) = try example(shape.0, shape.1, groupSize: shape.2)
    let compute = Compute(kernels: kernels, threads: 2)
    #expect(stored.type == .int8 && stored.bytes.count == shape.0 * shape.1)
    #expect(Matrix(stored, on: compute) == values)
    #expect(stored.countNotFinite(on: compute) == 0)
    let rows = [shape.0 - 1, 0, shape.0 / 2]
    #expect(
      Matrix(rows: rows.map { Int32($0) }, of: stored, on: compute) == values.gather(rows: rows))
    let part = shape.0 / 3..<shape.0
    #expect(Matrix(stored.rows(part), on: compute) == values.gather(rows: Array(part)))
  }

  @Test(arguments: KernelSet.available, shapes)
  func productsAreThoseOfTheValues(kernels: KernelSet, shape: (Int, Int, Int)) throws {
    let (stored, values) = try example(shape.0, shape.1, groupSize: shape.2)
    for threads in [1, 3] {
      let compute = Compute(kernels: kernels, threads: threads)
      for tokens in [1, 4, 5, 33] {
        let x = randomMatrix(tokens, shape.1, seed: 9)
        let wanted = linear(x, PackedWeight(values, on: compute), on: compute)
        #expect(linear(x, PackedWeight(stored, on: compute), on: compute) == wanted)
        #expect(linearAsPacked(x, stored, on: compute) == wanted)
        expectClose(
          linear(x, stored, on: compute).values, referenceProduct(x, values),
          "\(tokens) tokens, \(shape)")
      }
    }
  }

  @Test(arguments: KernelSet.available, [72, 8])
  func masksKeepCodesAndScales(kernels: KernelSet, groupSize: Int) throws {
    let compute = Compute(kernels: kernels, threads: 2)
    let weight = Matrix.withTies(rows: 7, columns: 72, seed: 4)
    let grid = try Int8Grid(for: weight, groupSize: groupSize)
    let stored = StoredMatrix(quantizing: weight, on: grid)
    let mask = try Mask24(keepingLargestOf: stored, scaledBy: nil, on: compute)
    let magnitudes = Matrix(rows: 7, columns: 72, Matrix(stored).values.map(abs))
    #expect(mask.kept == Reference.keptByScore(magnitudes))
    let pruned = mask.applied(to: stored, on: compute)
    #expect(pruned.grid == grid)
    #expect(Matrix(pruned) == mask.applied(to: Matrix(stored)))
    #expect(PatternCheck(pruned, on: compute).violations == 0)
    #expect(PatternCheck(stored, on: compute).violations > 0)
    var masked = [UInt8](repeating: 0xFF, count: stored.bytes.count)
    let found = try masked.withUnsafeMutableBytes { masked in
      try stored.bytes.withUnsafeBytes {
        try Magnitude().prune($0, .int8, into: masked, kernels: kernels)
      }
    }
    #expect(masked == pruned.bytes.withUnsafeBytes { Array($0) })
    let check = PatternCheck(pruned, countsPatterns: true, on: compute)
    #expect(found.zeros == check.zeros && found.patterns == check.patterns)
  }

  @Test func zerosKeepTheirPattern() throws {
    let weight = Matrix(rows: 2, columns: 8, [1, 0, 0, 2, 0, 3, -4, 0, 5, 6, 7, 0, 0, 0, -0.0, 1])
    let stored = StoredMatrix(quantizing: weight, on: try Int8Grid(for: weight, groupSize: 4))
    let check = PatternCheck(stored, countsPatterns: true)
    #expect(check.violations == 1 && check.zeros == 8 && check.groups == 4)
    #expect(check.patterns.reduce(0, +) == 2)
  }
}

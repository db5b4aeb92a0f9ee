internal import SparseCore
internal import TestSupport
internal import Testing

/// Products with both sides in INT8 against their definition, in float64.
@Suite struct Int8LinearTests {
  private static let shapes = [
    (1, 4, 4, 1), (5, 12, 12, 50), (3, 30, 30, 7), (3, 36, 12, 7), (70, 32, 16, 49),
    (65, 40, 40, 97),
    (9, 64, 4, 5), (0, 8, 8, 8), (2, 6000, 6000, 60),
  ]

  /// Σ over groups of scale · Σ codes · codes, times the row's scale, with the magnitude that rounding goes with.
  private func reference(_ x: Matrix, _ weight: Matrix, _ grid: Int8Grid) -> [Expected] {
    let codes = grid.codes(of: weight)
    return (0..<x.rows).flatMap { token in
      let row = (0..<x.columns).map { x[token, $0] }
      let most = row.map(abs).max() ?? 0
      let scale: Float = most == 0 ? 1 : most / 127
      let rounded = row.map { Int(($0 / scale).rounded(.toNearestOrEven)) }
      return (0..<weight.rows).map { output in
        var result = Expected(value: 0, magnitude: 0, terms: 3 * grid.groups)
        for group in 0..<grid.groups {
          let columns = group * grid.groupSize..<(group + 1) * grid.groupSize
          let sum = columns.reduce(0) {
            $0 + rounded[$1] * Int(codes[output * weight.columns + $1])
          }
          let term =
            Double(scale) * Double(grid.scale(row: output, column: columns.lowerBound))
            * Double(sum)
          result.value += term
          result.magnitude += abs(term)
        }
        return result
      }
    }
  }

  @Test(arguments: KernelSet.available, shapes)
  func equalsTheDefinition(kernels: KernelSet, shape: (Int, Int, Int, Int)) throws {
    let (tokens, inputs, groupSize, outputs) = shape
    let x = randomMatrix(tokens, inputs, seed: 1)
    let weight = randomMatrix(outputs, inputs, seed: 2)
    let grid = try Int8Grid(for: weight, groupSize: groupSize)
    let compute = Compute(kernels: kernels, threads: 1)
    let packed = PackedInt8Weight(StoredMatrix(quantizing: weight, on: grid), on: compute)
    let once = linear(x, packed, on: compute)
    expectClose(once.values, reference(x, weight, grid), "\(shape)")
    for threads in [2, 5] {
      let many = Compute(kernels: kernels, threads: threads)
      let again = linear(
        x, PackedInt8Weight(StoredMatrix(quantizing: weight, on: grid), on: many), on: many)
      #expect(bits(again.values) == bits(once.values))
    }
  }

  @Test(arguments: KernelSet.available)
  func rowsDoNotDependOnEachOther(kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels, threads: 1)
    let x = randomMatrix(75, 100, seed: 3)
    let weight = randomMatrix(60, 100, seed: 4)
    let packed = PackedInt8Weight(
      StoredMatrix(quantizing: weight, on: try Int8Grid(for: weight, groupSize: 20)), on: compute)
    let all = linear(x, packed, on: compute)
    for row in [0, 7, 63, 64, 74] {
      let alone = linear(x.gather(rows: [row]), packed, on: compute)
      #expect(bits(alone.values) == bits(all.gather(rows: [row]).values))
    }
  }

  @Test(arguments: KernelSet.available)
  func zerosAndSmallNumbersKeepTheirProducts(kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    let weight = Matrix(rows: 1, columns: 4, [1, -1, 0.5, 0])
    let packed = PackedInt8Weight(
      StoredMatrix(quantizing: weight, on: try Int8Grid(for: weight)), on: compute)
    let tiny = Float.leastNonzeroMagnitude
    let x = Matrix(rows: 3, columns: 4, [0, 0, -0.0, 0, 1e30, 0, 0, 1e30, tiny, 0, 0, tiny])
    let y = linear(x, packed, on: compute).values
    #expect(y[0] == 0 && abs(y[1] / 1e30 - 1) < 1e-6 && y[2] == 0)
  }

  @Test(arguments: KernelSet.available, [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteStaysSoInItsRow(kernels: KernelSet, value: Float) throws {
    let compute = Compute(kernels: kernels)
    let weight = randomMatrix(5, 8, seed: 5)
    let packed = PackedInt8Weight(
      StoredMatrix(quantizing: weight, on: try Int8Grid(for: weight)), on: compute)
    var x = randomMatrix(3, 8, seed: 6)
    let before = linear(x, packed, on: compute)
    x[1, 3] = value
    let after = linear(x, packed, on: compute)
    for row in 0..<3 {
      for output in 0..<5 {
        #expect(row == 1 ? !after[row, output].isFinite : after[row, output] == before[row, output])
      }
    }
  }
}

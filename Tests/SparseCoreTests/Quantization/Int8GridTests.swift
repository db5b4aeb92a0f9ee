import SparseCore
import TestSupport
import Testing

@Suite struct Int8GridTests {
  /// The reference program's rounding, one value at a time in float64.
  private func reference(_ weight: Matrix, _ grid: Int8Grid) -> [Int8] {
    (0..<weight.rows).flatMap { row in
      (0..<weight.columns).map { column in
        let ratio = Double(weight[row, column]) / Double(grid.scale(row: row, column: column))
        return Int8(min(max(ratio.rounded(.toNearestOrEven), -127), 127))
      }
    }
  }

  @Test(
    arguments: KernelSet.available,
    [(1, 1, 1), (3, 12, 4), (5, 33, 33), (7, 96, 16), (48, 640, 128)])
  func codesAreTheNearestStepsOfTheLargestMagnitude(
    kernels: KernelSet, shape: (rows: Int, columns: Int, groupSize: Int)
  ) throws {
    for threads in [1, 2, 5] {
      let compute = Compute(kernels: kernels, threads: threads)
      let weight = randomMatrix(shape.rows, shape.columns, seed: 3)
      let grid = try Int8Grid(for: weight, groupSize: shape.groupSize, on: compute)
      #expect(grid.groups == shape.columns / shape.groupSize)
      for row in 0..<shape.rows {
        for group in 0..<grid.groups {
          let start = row * shape.columns + group * shape.groupSize
          let most = weight.values[start..<start + shape.groupSize].map(abs).max() ?? 0
          #expect(grid.scales[row * grid.groups + group] == most / 127)
        }
      }
      let codes = grid.codes(of: weight, on: compute)
      #expect(codes == reference(weight, grid))
      let values = grid.matrix(of: codes, on: compute)
      for row in 0..<shape.rows {
        for column in 0..<shape.columns {
          let scale = grid.scale(row: row, column: column)
          #expect(values[row, column] == Float(codes[row * shape.columns + column]) * scale)
          #expect(abs(values[row, column] - weight[row, column]) <= scale * 0.50001)
        }
      }
      #expect(grid.rounded(weight, on: compute) == values)
      #expect(grid.rounded(values, on: compute) == values)
    }
  }

  @Test(arguments: KernelSet.available)
  func tiesGoToTheEvenStepAndNothingPassesTheEnds(kernels: KernelSet) {
    let values: [Float] = [
      0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5, 1e9, -126.5, -127.5, -1e9, 0, -0.0, 0.49,
      -0.51,
      3, -128,
    ]
    let weight = Matrix(rows: 1, columns: values.count, values.map { $0 / 4 })
    let grid = Int8Grid(rows: 1, columns: values.count, scales: [0.25])
    let codes: [Int8] = [
      0, 2, 2, 0, -2, -2, 126, 127, 127, -126, -127, -127, 0, 0, 0, -1, 3, -127,
    ]
    #expect(grid.codes(of: weight, on: Compute(kernels: kernels, threads: 1)) == codes)
  }

  @Test func zerosHaveTheScaleOneAndStayZero() throws {
    let weight = Matrix(
      rows: 2, columns: 8,
      [0, -0.0, 0, 0, 0, 0, 127, -2, 0, .leastNonzeroMagnitude, 0, 0, 0, 0, 0, 0])
    let grid = try Int8Grid(for: weight, groupSize: 4)
    #expect(grid.scales == [1, 1, .leastNormalMagnitude, 1])
    #expect(grid.rounded(weight).values == [0, 0, 0, 0, 0, 0, 127, -2, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test(arguments: ScalarType.floatingPoint)
  func roundedScalesAreNumbersOfTheTypeAndNeverSubnormal(type: ScalarType) {
    let scales: [Float] = [
      1, 0.01, 3e-5, 1e-9, .leastNormalMagnitude, 1e5, .greatestFiniteMagnitude,
    ]
    let grid = Int8Grid(rows: scales.count, columns: 8, scales: scales).withScales(roundedTo: type)
    let matrix = Matrix(rows: 1, columns: scales.count, grid.scales)
    #expect(Matrix(StoredMatrix(matrix, as: type)) == matrix)
    let wanted: [Float] =
      switch type {
      case .float32, .int8: scales
      case .float16:
        [1, 1311 * 0x1p-17, 0x1p-14, 0x1p-14, 0x1p-14, 65504, 65504]
      case .bfloat16:
        [
          1, 0.010009765625, 0x1.F8p-16, 0x1.12p-30, .leastNormalMagnitude, 99840,
          0x1.FEp127,
        ]
      }
    #expect(grid.scales == wanted)
  }

  @Test func saysWhatItCannotQuantize() {
    #expect(throws: QuantizationError.groupSize(8, columns: 12)) {
      try Int8Grid(for: Matrix(rows: 2, columns: 12), groupSize: 8)
    }
    #expect(throws: QuantizationError.groupSize(6, columns: 12)) {  // ends within a group of four
      try Int8Grid(for: Matrix(rows: 2, columns: 12), groupSize: 6)
    }
    #expect(throws: QuantizationError.groupSize(0, columns: 12)) {
      try Int8Grid(for: Matrix(rows: 2, columns: 12), groupSize: 0)
    }
    #expect(throws: QuantizationError.nonFiniteWeights(count: 2)) {
      try Int8Grid(for: Matrix(rows: 1, columns: 4, [1, .nan, 2, -.infinity]))
    }
  }

  @Test func aMatrixWithoutValuesHasAGrid() throws {
    let grid = try Int8Grid(for: Matrix(rows: 3, columns: 0))
    #expect(grid.scales == [1, 1, 1])
    #expect(grid.codes(of: Matrix(rows: 3, columns: 0)).isEmpty)
    #expect(try Int8Grid(for: Matrix(rows: 0, columns: 4)).scales.isEmpty)
    let grouped = try Int8Grid(for: Matrix(rows: 3, columns: 0), groupSize: 64)
    #expect(grouped.scales == [1, 1, 1] && grouped.isPerChannel)
    #expect(grouped.rounded(Matrix(rows: 3, columns: 0)).values.isEmpty)
  }
}

/// Scales and codes against the reference program's.
@Suite(.enabled(if: Shared.exists)) struct GoldenInt8GridTests {
  @Test(arguments: GoldenLayer.names, KernelSet.available)
  func scalesAndCodesEqualTheReference(name: String, kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    let layer = try GoldenLayer(name)
    let dense = try Int8Grid(for: layer.weight, on: compute)
    #expect(dense.scales == (try layer.vector("joint_int8_scales").map(Float.init)))

    let pruned = try layer.matrix("admm_cd")
    let grid = try Int8Grid(for: pruned, on: compute)
    for (scale, wanted) in zip(grid.scales, try layer.vector("admm_cd_int8_scales").map(Float.init))
    {
      #expect(abs(scale - wanted) <= wanted.ulp)  // the reference's weights were rounded to float32
    }
    #expect(grid.codes(of: pruned, on: compute) == (try layer.codes("admm_cd_int8")))
  }
}

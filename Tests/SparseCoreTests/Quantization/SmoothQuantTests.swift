import SparseCore
import TestSupport
import Testing

@Suite struct SmoothQuantTests {
  @Test(.enabled(if: Shared.exists), arguments: GoldenLayer.names, KernelSet.available)
  func scalesEqualTheReference(name: String, kernels: KernelSet) throws {
    let layer = try GoldenLayer(name)
    let compute = Compute(kernels: kernels, threads: 2)
    var maxima = InputMaxima(inputs: layer.inputs.columns)
    maxima.add(layer.inputs, on: compute)
    let scales = smoothingScales(
      inputMaxima: maxima.maxima, weights: [RowSource(layer.weight)], on: compute)
    let expected = try layer.vector("smooth_scales")
    #expect(expected.count == scales.count && scales.count == layer.weight.columns)
    for (scale, exact) in zip(scales, expected) {
      #expect(abs(Double(scale) - exact) <= 0x1p-23 * exact)
    }
  }

  /// The inputs of these layers have channels five to seven times as large as their median.
  @Test(.enabled(if: Shared.exists), arguments: GoldenLayer.names)
  func bothSidesInInt8LoseLess(name: String) throws {
    let layer = try GoldenLayer(name)
    let exact = linear(layer.inputs, PackedWeight(layer.weight))
    func error(_ inputs: Matrix, _ weight: Matrix) throws -> Double {
      let codes = StoredMatrix(quantizing: weight, on: try Int8Grid(for: weight))
      let rounded = linear(inputs, PackedInt8Weight(codes))
      return (rounded.minus(exact).sumOfSquares() / exact.sumOfSquares()).squareRoot()
    }
    var maxima = InputMaxima(inputs: layer.inputs.columns)
    maxima.add(layer.inputs, on: .automatic)
    let scales = smoothingScales(inputMaxima: maxima.maxima, weights: [RowSource(layer.weight)])
    let plain = try error(layer.inputs, layer.weight)
    let smooth = try error(
      layer.inputs.divided(columns: scales), layer.weight.scaled(columns: scales))
    #expect(smooth < 0.8 * plain, "\(plain) without, \(smooth) with")
  }

  /// By hand: 4^0.25 = √2 and 16^0.75 = 8; a dead input and a column of zeros have floors.
  @Test func scalesAreThoseOfTheFormula() {
    let weights = [
      Matrix(rows: 2, columns: 4, [1, 16, 2, 0, -16, 3, 1, 0]),
      Matrix(rows: 1, columns: 4, [5, -1, 0, 0]),
    ]
    let scales = smoothingScales(
      inputMaxima: [4, 1, 0, 1e4], weights: weights.map { RowSource($0) }, alpha: 0.25)
    let expected = [Math.power(2, 0.5) / 8, 0.125, 1e-5, 10 / Math.power(1e-5, 0.75)]
    for (scale, exact) in zip(scales, expected) {
      #expect(abs(Double(scale) - exact) <= 0x1p-23 * exact)
    }
    #expect(
      smoothingScales(
        inputMaxima: [3, 0.5, 7, 2], weights: weights.map { RowSource($0) }, alpha: 1)[0] == 3)
    #expect(
      smoothingScales(
        inputMaxima: [3, 0.5, 7, 2], weights: weights.map { RowSource($0) }, alpha: 0)[1] == 0.0625)
  }

  @Test(arguments: KernelSet.available, [(0, 5), (1, 1), (3, 31), (9, 33), (300, 70)])
  func maximaDoNotDependOnChunksOrThreads(kernels: KernelSet, shape: (Int, Int)) {
    let (tokens, inputs) = shape
    let x = randomMatrix(tokens, inputs, seed: 1)
    let expected = (0..<inputs).map { column in
      (0..<tokens).map { abs(x[$0, column]) }.max() ?? 0
    }
    for threads in [1, 2, 5] {
      var maxima = InputMaxima(inputs: inputs)
      for chunk in unevenChunks(tokens) {
        maxima.add(rows(x, chunk), on: Compute(kernels: kernels, threads: threads))
      }
      #expect(maxima.maxima == expected)
    }
  }

  @Test(arguments: KernelSet.available)
  func aNaNIsNoMaximum(kernels: KernelSet) {
    var maxima = InputMaxima(inputs: 17)
    var x = randomMatrix(6, 17, seed: 2)
    for row in 0..<5 { (x[row, 3], x[row, 16]) = (.nan, -.nan) }
    maxima.add(x, on: Compute(kernels: kernels))
    #expect(maxima.maxima[3] == abs(x[5, 3]) && maxima.maxima[16] == abs(x[5, 16]))
  }

  /// What the norm puts out times what the weights are multiplied by is what it was, for all that rounds.
  @Test(arguments: ScalarType.floatingPoint)
  func theScalesMakeUpForTheRoundingOfTheNorm(type: ScalarType) {
    let count = 200
    let norm = StoredMatrix(
      Matrix(rows: 1, columns: count, randomFloats(count, seed: 3).map { $0 + 1.5 }), as: type)
    let scales = randomFloats(count, seed: 4).map { 0.3 + $0 * $0 * 20 }
    let smoothed = SmoothedNorm(norm, dividedBy: scales)
    #expect(smoothed.weight.type == type)
    let (old, new) = (Matrix(norm).values, Matrix(smoothed.weight).values)
    let unit = type == .float32 ? 0x1p-24 : type == .float16 ? 0x1p-11 : 0x1p-8
    for channel in 0..<count {
      let back = Double(new[channel]) * Double(smoothed.scales[channel])
      #expect(abs(back - Double(old[channel])) <= 0x1p-24 * abs(back))
      let asked = Double(scales[channel])
      #expect(abs(Double(smoothed.scales[channel]) - asked) <= (unit + 3 * 0x1p-24) * asked)
    }
    let exact = type == .float32 ? 0 : zip(scales, smoothed.scales).count { $0 != $1 }
    #expect(type == .float32 || exact > count / 2, "rounding the norm would not show")
  }

  /// 0 and −0, NaN and infinity; quotients beyond float16 at both ends.
  @Test func channelsThatCannotBeDividedStay() {
    let values: [Float] = [0, -0.0, .nan, .infinity, 60000, 6e-8, 2, -3]
    let norm = StoredMatrix(Matrix(rows: 1, columns: 8, values), as: .float16)
    let smoothed = SmoothedNorm(norm, dividedBy: [2, 2, 2, 2, 0.5, 4, 4, 0.25])
    #expect(smoothed.scales == [1, 1, 1, 1, 1, 1, 4, 0.25])
    let bytes = (
      old: norm.bytes.withUnsafeBytes { Array($0) },
      new: smoothed.weight.bytes.withUnsafeBytes { Array($0) }
    )
    #expect(bytes.new[0..<12] == bytes.old[0..<12])
    #expect(Matrix(smoothed.weight).values[6...] == [0.5, -12])
  }

  @Test func columnsAreMultipliedAndDivided() {
    let matrix = Matrix(rows: 2, columns: 3, [1, 2, 3, 4, 5, 6])
    #expect(matrix.scaled(columns: [1, 0.5, -2]).values == [1, 1, -6, 4, 2.5, -12])
    #expect(matrix.divided(columns: [1, 0.5, -2]).values == [1, 4, -1.5, 4, 10, -3])
  }
}

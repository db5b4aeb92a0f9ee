import SparseCore
import TestSupport
import Testing

@Suite struct DecoderMathTests {
  static let widths = [1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 64, 100, 576]

  @Test(arguments: KernelSet.available)
  func exponentialIsWithinTwoUlp(kernels: KernelSet) {
    var x: [Float] = [
      0, -0.0, 1, -1, 88.72, -87.3, -103, -104, 89, 200, -200, .infinity, -.infinity,
    ]
    for step in 0..<200_000 { x.append(-104 + Float(step) * (193 / 200_000)) }
    var got = [Float](repeating: 0, count: x.count)
    kernels.exp(x.count, x, into: &got)
    var worst = 0.0
    for (x, value) in zip(x, got) {
      let exact = Math.exponential(Double(x))
      if exact > Double(Float.greatestFiniteMagnitude) {
        #expect(value == .infinity || value == .greatestFiniteMagnitude, "\(x)")
      } else {
        worst = max(worst, abs(Double(value) - exact) / Double(Float(exact).ulp))
      }
    }
    #expect(worst <= 2)
    var nan: [Float] = [.nan]
    kernels.exp(1, nan, into: &nan)
    #expect(nan[0].isNaN)
  }

  @Test(arguments: KernelSet.available, widths)
  func rmsNormMatchesReference(kernels: KernelSet, width: Int) {
    let x = randomMatrix(5, width, seed: 1)
    let weight = randomFloats(width, seed: 2)
    let got = rmsNorm(x, weight: weight, epsilon: 1e-5, on: Compute(kernels: kernels, threads: 2))
    let expected = (0..<5).flatMap { token -> [Expected] in
      let values = row(x, token)
      let mean = exactDot(values, values).value / Double(width)
      let scale = 1 / (mean + Double(Float(1e-5))).squareRoot()
      return zip(values, weight).map {
        let value = Double($0) * scale * Double($1)
        return Expected(value: value, magnitude: abs(value), terms: 1)
      }
    }
    expectClose(got.values, expected, "\(width)")
  }

  @Test(arguments: KernelSet.available, widths)
  func siluMatchesReference(kernels: KernelSet, width: Int) {
    let gate = Matrix(
      rows: 3, columns: width, randomFloats(3 * width, seed: 3).map { $0 * 20 })
    let up = randomMatrix(3, width, seed: 4)
    var got = gate
    siluMultiply(gate: &got, up: up, on: Compute(kernels: kernels, threads: 2))
    let expected = zip(gate.values, up.values).map { gate, up in
      let value = Double(gate) / (1 + Math.exponential(-Double(gate))) * Double(up)
      return Expected(value: value, magnitude: abs(value), terms: 4)
    }
    expectClose(got.values, expected, "\(width)")
  }

  @Test(arguments: KernelSet.available, [2, 6, 8, 16, 30, 32, 34, 64, 128])
  func rotationMatchesReference(kernels: KernelSet, width: Int) {
    let heads = 3
    let x = randomMatrix(10, heads * width, seed: 5)
    let cosines = randomMatrix(9, width / 2, seed: 6)
    let sines = randomMatrix(9, width / 2, seed: 7)
    var got = x
    rotate(
      &got, headWidth: width, cosines: cosines, sines: sines, firstPosition: 4, sequenceLength: 5,
      on: Compute(kernels: kernels, threads: 2))
    var expected: [Expected] = []
    for token in 0..<10 {
      let position = 4 + token % 5
      for head in 0..<heads {
        for place in 0..<width {
          let angle = place % (width / 2)
          let partner = place < width / 2 ? place + width / 2 : place - width / 2
          let sign: Float = place < width / 2 ? -1 : 1
          expected.append(
            exactDot(
              [x[token, head * width + place], sign * x[token, head * width + partner]],
              [cosines[position, angle], sines[position, angle]]))
        }
      }
    }
    expectClose(got.values, expected, "\(width)")
  }

  @Test(arguments: KernelSet.available, widths)
  func softmaxAndLogSumExpMatchReference(kernels: KernelSet, width: Int) {
    let compute = Compute(kernels: kernels, threads: 2)
    let logits = Matrix(rows: 4, columns: width, randomFloats(4 * width, seed: 8).map { $0 * 30 })
    var got = logits
    softmaxRows(&got, on: compute)
    var sums = LogSumExp(rows: 4)
    for range in unevenChunks(width) {
      let block = Matrix(
        rows: 4, columns: range.count, (0..<4).flatMap { r in range.map { logits[r, $0] } })
      sums.add(block, on: compute)
    }
    for token in 0..<4 {
      let values = row(logits, token).map(Double.init)
      let most = values.max() ?? 0
      let total = values.reduce(0) { $0 + Math.exponential($1 - most) }
      let expected = values.map { value in
        let probability = Math.exponential(value - most) / total
        return Expected(value: probability, magnitude: probability, terms: width + 4)
      }
      expectClose(Array(row(got, token)), expected, "\(width)")
      let logarithm = most + Math.logarithm(total)
      #expect(abs(sums.values[token] - logarithm) <= 4 * Double(Float.ulpOfOne))
    }
  }

  @Test(arguments: KernelSet.available)
  func logSumExpOfNothingIsMinusInfinity(kernels: KernelSet) {
    var sums = LogSumExp(rows: 1)
    #expect(sums.values == [-.infinity])
    let compute = Compute(kernels: kernels, threads: 1)
    sums.add(Matrix(rows: 1, columns: 2, [-.infinity, -.infinity]), on: compute)
    #expect(sums.values == [-.infinity])
    sums.add(Matrix(rows: 1, columns: 1, [3]), on: compute)
    #expect(sums.values == [3])
  }

  @Test func biasAndResidualAreAdded() {
    let x = randomMatrix(3, 37, seed: 9)
    var y = randomMatrix(3, 37, seed: 10)
    let before = y
    add(x, to: &y)
    #expect(y.values == zip(x.values, before.values).map { $0 + $1 })
    var z = x
    let bias = randomFloats(37, seed: 11)
    addRow(bias, to: &z)
    for token in 0..<3 {
      #expect(Array(row(z, token)) == zip(row(x, token), bias).map { $0 + $1 })
    }
  }
}

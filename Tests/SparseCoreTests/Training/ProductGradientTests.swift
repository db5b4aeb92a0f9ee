import SparseCore
import TestSupport
import Testing

/// The gradients of linear layers and of the embedding.
@Suite struct ProductGradientTests {
  /// tokens, inputs, outputs: around one register tile and one panel, and over several pieces of work.
  static let shapes = [
    (1, 1, 1), (2, 3, 4), (5, 47, 17), (4, 48, 49), (7, 97, 16), (50, 20, 100), (3, 200, 250),
  ]

  /// W moves the inputs' gradient G to G W.
  @Test(arguments: shapes)
  func inputGradientIsTheDerivative(shape: (Int, Int, Int)) {
    let (tokens, inputs, outputs) = shape
    let (x, gradient) = (
      randomMatrix(tokens, inputs, seed: 1), randomMatrix(tokens, outputs, seed: 2)
    )
    let weight = randomMatrix(outputs, inputs, seed: 3)
    let numeric = NumericGradient(
      at: Matrix64(x), weights: Matrix64(gradient), singles: singleValues, seed: 4
    ) { Reference.linear($0, Matrix64(weight)).values }
    let sizes = Reference.linear(
      Matrix64(gradient).magnitudes, Matrix64(weight).magnitudes.transposed)
    onAllKernels("\(shape)") { compute in
      [linear(gradient, PackedWeight(transposing: weight, on: compute), on: compute)]
    } check: {
      numeric.fault(in: $0[0], bounds: sizes.bounds(terms: outputs))
    }
  }

  @Test(arguments: shapes + [(3, 0, 5), (3, 5, 0), (0, 5, 5)])
  func transposingPacksTheTransposedWeight(shape: (Int, Int, Int)) {
    let (tokens, inputs, outputs) = shape
    let gradient = randomMatrix(tokens, outputs, seed: 1)
    let weight = randomMatrix(outputs, inputs, seed: 2)
    let turned = Matrix(
      rows: inputs, columns: outputs,
      (0..<inputs).flatMap { input in (0..<outputs).map { weight[$0, input] } })
    for kernels in KernelSet.available {
      let compute = Compute(kernels: kernels, threads: 2)
      let got = linear(gradient, PackedWeight(transposing: weight, on: compute), on: compute)
      let expected = linear(gradient, PackedWeight(turned, on: compute), on: compute)
      #expect(bits(got.values) == bits(expected.values), "\(kernels.name)")
    }
  }

  /// More tokens than are taken at a time, and more outputs and inputs than a piece of work has.
  @Test(arguments: shapes + [(385, 5, 9), (800, 17, 3)])
  func weightGradientIsTheDerivative(shape: (Int, Int, Int)) {
    let (tokens, inputs, outputs) = shape
    let (x, gradient) = (
      randomMatrix(tokens, inputs, seed: 1), randomMatrix(tokens, outputs, seed: 2)
    )
    let start = randomMatrix(outputs, inputs, seed: 5)
    let numeric = NumericGradient(
      at: Matrix64(randomMatrix(outputs, inputs, seed: 3)), weights: Matrix64(gradient),
      singles: singleValues, seed: 4
    ) { Reference.linear(Matrix64(x), $0).values }
    let sizes = Reference.linear(
      Matrix64(gradient).magnitudes.transposed, Matrix64(x).magnitudes.transposed)
    onAllKernels("\(shape)") { compute in
      var sum = start
      addWeightGradient(of: gradient, x, to: &sum, on: compute)
      return [sum]
    } check: {
      numeric.fault(
        in: $0[0], from: start, bounds: sizes.bounds(terms: tokens + 1, start: start))
    }
  }

  @Test(arguments: [(0, 5, 5), (5, 0, 5), (5, 5, 0)])
  func nothingAddsNothing(shape: (Int, Int, Int)) {
    let (tokens, inputs, outputs) = shape
    let start = randomMatrix(outputs, inputs, seed: 1)
    var sum = start
    addWeightGradient(
      of: Matrix(rows: tokens, columns: outputs), Matrix(rows: tokens, columns: inputs), to: &sum)
    #expect(bits(sum.values) == bits(start.values))
  }

  /// One chain over the tokens, wherever it is cut.
  @Test(arguments: KernelSet.available, [[1], [47, 48, 49], [383], [384, 385], [1, 2, 3, 388]])
  func splittingTheTokensChangesNoBit(kernels: KernelSet, cuts: [Int]) {
    let compute = Compute(kernels: kernels, threads: 2)
    let (x, gradient) = (randomMatrix(400, 51, seed: 1), randomMatrix(400, 70, seed: 2))
    var whole = randomMatrix(70, 51, seed: 3)
    var parts = whole
    addWeightGradient(of: gradient, x, to: &whole, on: compute)
    for (first, end) in zip([0] + cuts, cuts + [400]) {
      addWeightGradient(
        of: rows(gradient, first..<end), rows(x, first..<end), to: &parts, on: compute)
    }
    #expect(bits(parts.values) == bits(whole.values))
    var biases = [Matrix(rows: 1, columns: 70), Matrix(rows: 1, columns: 70)]
    addColumnSums(of: gradient, to: &biases[0], on: compute)
    for (first, end) in zip([0] + cuts, cuts + [400]) {
      addColumnSums(of: rows(gradient, first..<end), to: &biases[1], on: compute)
    }
    #expect(bits(biases[0].values) == bits(biases[1].values))
  }

  @Test(arguments: [(1, 1), (3, 7), (20, 63), (5, 64), (2, 65), (300, 200)])
  func biasGradientIsTheDerivative(shape: (Int, Int)) {
    let (tokens, outputs) = shape
    let gradient = randomMatrix(tokens, outputs, seed: 1)
    let start = randomMatrix(1, outputs, seed: 2)
    let nothing = Matrix64(rows: tokens, columns: 1)
    let numeric = NumericGradient(
      at: Matrix64(randomMatrix(1, outputs, seed: 3)), weights: Matrix64(gradient),
      singles: singleValues, seed: 4
    ) { Reference.linear(nothing, Matrix64(rows: outputs, columns: 1), bias: $0).values }
    let ones = Matrix64(rows: 1, columns: tokens, [Double](repeating: 1, count: tokens))
    let sizes = Reference.linear(ones, Matrix64(gradient).magnitudes.transposed)
    onAllKernels("\(shape)") { compute in
      var sum = start
      addColumnSums(of: gradient, to: &sum, on: compute)
      return [sum]
    } check: {
      numeric.fault(in: $0[0], from: start, bounds: sizes.bounds(terms: tokens, start: start))
    }
  }

  /// Ids come several times and some not at all.
  @Test(arguments: [1, 3, 63, 64, 65, 130])
  func embeddingGradientIsTheDerivative(width: Int) {
    let ids: [Int32] = [4, 0, 4, 4, 6, 2, 0, 6, 4]
    let gradient = randomMatrix(ids.count, width, seed: 1)
    let start = randomMatrix(7, width, seed: 2)
    let numeric = NumericGradient(
      at: Matrix64(randomMatrix(7, width, seed: 3)), weights: Matrix64(gradient),
      singles: isOptimized ? nil : 20, seed: 4
    ) { Reference.gather(ids, of: $0).values }
    var sizes = Matrix64(rows: 7, columns: width)
    for (token, id) in ids.enumerated() {
      for column in 0..<width { sizes[Int(id), column] += abs(Double(gradient[token, column])) }
    }
    onAllKernels("\(width)") { compute in
      var sum = start
      addEmbeddingGradient(of: gradient, ids: ids, to: &sum, on: compute)
      var parts = start
      for range in [0..<1, 1..<4, 4..<9] {
        addEmbeddingGradient(
          of: rows(gradient, range), ids: Array(ids[range]), to: &parts, on: compute)
      }
      #expect(bits(parts.values) == bits(sum.values), "in parts")
      return [sum]
    } check: {
      for absent in [1, 3, 5] where row($0[0], absent) != row(start, absent) {
        return "row \(absent) has changed"
      }
      return numeric.fault(in: $0[0], from: start, bounds: sizes.bounds(terms: 4, start: start))
    }
  }
}

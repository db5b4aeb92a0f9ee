import TestSupport
import Testing

@testable import SparseCore

/// SparseGPT against the reference program's layers.
@Suite(.enabled(if: Shared.exists)) struct GoldenSparseGPTTests {
  @Test(arguments: GoldenLayer.names, KernelSet.available)
  func theErrorIsTheReferences(name: String, kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels, threads: 1)
    let layer = try GoldenLayer(name)
    let inputs = gramStatistics(of: layer.inputs, on: compute)
    let pruned = try SparseGPT().prune(layer.weight, inputs: inputs, on: compute)
    let error = Reference.relativeError(
      of: pruned.weight, for: layer.weight, gram: DoubleMatrix(gramOf: layer.inputs))
    let expected = try layer.relativeError("sparsegpt")
    #expect(abs(error - expected) <= 0.001 * expected)
    #expect(pruned.mask.violations(in: pruned.weight) == 0)
    #expect(pruned.dampening == 0.01 && pruned.fallback == nil)
    for threads in [2, 5] {
      let compute = Compute(kernels: kernels, threads: threads)
      let other = try SparseGPT().prune(
        layer.weight, inputs: gramStatistics(of: layer.inputs, on: compute), on: compute)
      #expect(bits(other.weight.values) == bits(pruned.weight.values), "\(threads) threads")
      #expect(other.mask == pruned.mask)
    }
  }

  /// One of the 4,736 groups is decided by 1.7 · 10⁻⁷ of its score, less than the gram's own rounding, and a
  /// group that turns out otherwise changes those after it in its row.
  @Test(arguments: KernelSet.available)
  func theMasksAreTheReferences(kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    var (kept, expected): ([Bool], [Bool]) = ([], [])
    for name in GoldenLayer.names {
      let layer = try GoldenLayer(name)
      let inputs = gramStatistics(of: layer.inputs, on: compute)
      let pruned = try SparseGPT().prune(layer.weight, inputs: inputs, on: compute)
      kept += pruned.weight.values.map { $0 != 0 }
      expected += try layer.matrix("sparsegpt").values.map { $0 != 0 }
    }
    #expect(shareOfEqualGroups(kept, expected) >= 0.999)
  }

  @Test(arguments: GoldenLayer.names)
  func theGramTellsTheRelativeError(name: String) throws {
    let layer = try GoldenLayer(name)
    var gram = Gram(inputs: layer.inputs.columns)
    gram.add(layer.inputs)
    let changed = try layer.matrix("sparsegpt")
    let squared =
      gram.squaredOutput(of: changed.minus(layer.weight)) / gram.squaredOutput(of: layer.weight)
    let expected = try layer.relativeError("sparsegpt")
    #expect(abs(squared.squareRoot() - expected) <= 1e-4 * expected)
  }
}

@Suite struct SparseGPTTests {
  /// Columns within a tile, across tiles, across blocks; a single row; fewer tokens than inputs.
  @Test(
    arguments: KernelSet.available,
    [(8, 4, 20), (20, 44, 100), (1, 52, 200), (50, 132, 300), (5, 204, 60), (97, 96, 150)])
  func equalsThePublishedForm(kernels: KernelSet, shape: (Int, Int, Int)) throws {
    let (rows, columns, tokens) = shape
    let (weight, inputs) = Reference.layer(
      rows: rows, columns: columns, tokens: tokens, seed: 11)
    let compute = Compute(kernels: kernels, threads: 2)
    let pruned = try SparseGPT().prune(
      weight, inputs: gramStatistics(of: inputs, on: compute), on: compute)
    let gram = DoubleMatrix(gramOf: inputs)
    let reference = Reference.sparseGPT(weight, gram: gram)
    #expect(shareOfEqualGroups(pruned.mask.kept, reference.kept) >= 0.999)
    let error = Reference.relativeError(of: pruned.weight, for: weight, gram: gram)
    let expected = Reference.relativeError(of: reference.weight, for: weight, gram: gram)
    #expect(abs(error - expected) <= 0.001 * expected)
  }

  /// It keeps the updated weights, which is what makes it better than its own mask.
  @Test func keptWeightsMakeUpForThePruned() throws {
    let (weight, inputs) = Reference.layer(rows: 16, columns: 64, tokens: 200, seed: 3)
    let statistics = gramStatistics(of: inputs, on: .automatic)
    let gram = DoubleMatrix(gramOf: inputs)
    let pruned = try SparseGPT().prune(weight, inputs: statistics, on: .automatic)
    let masked = pruned.mask.applied(to: weight)
    let wanda = try Wanda().prune(weight, inputs: statistics, on: .automatic)
    let errors = [pruned.weight, masked, wanda.weight].map {
      Reference.relativeError(of: $0, for: weight, gram: gram)
    }
    #expect(errors[0] < 0.85 * errors[1] && errors[0] < 0.85 * errors[2], "\(errors)")
  }

  /// Weights of layers that share a gram are pruned as if each had its own.
  @Test func aSolverServesManyLayers() throws {
    let (weight, inputs) = Reference.layer(rows: 60, columns: 56, tokens: 100, seed: 4)
    let statistics = gramStatistics(of: inputs, on: .automatic)
    let whole = try SparseGPT().prune(weight, inputs: statistics, on: .automatic)
    var solver = try SparseGPT().solver(for: statistics, on: .automatic)
    for range in [0..<10, 10..<60] {
      let part = try solver.prune([rows(weight, range)], onto: nil, on: .automatic)[0]
      #expect(part.weight == rows(whole.weight, range))
    }
  }

  @Test(arguments: KernelSet.available)
  func deadInputsLoseTheirWeights(kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    var (weight, inputs) = Reference.layer(rows: 10, columns: 60, tokens: 90, seed: 5)
    let dead = [0, 5, 6, 7, 49]
    for token in 0..<inputs.rows { for column in dead { inputs[token, column] = 0 } }
    let pruned = try SparseGPT().prune(
      weight, inputs: gramStatistics(of: inputs, on: compute), on: compute)
    for row in 0..<10 { for column in dead { #expect(pruned.weight[row, column] == 0) } }
    // What the dead inputs' weights were has no influence.
    for row in 0..<10 { for column in dead { weight[row, column] = 100 } }
    let other = try SparseGPT().prune(
      weight, inputs: gramStatistics(of: inputs, on: compute), on: compute)
    #expect(other.weight == pruned.weight)
  }

  @Test(arguments: [0, 7]) func inputsOfNothingButZerosLeaveNothing(tokens: Int) throws {
    let weight = randomMatrix(5, 52, seed: 6)
    var gram = Gram(inputs: 52)
    gram.add(Matrix(rows: tokens, columns: 52))
    let pruned = try SparseGPT().prune(weight, inputs: .gram(gram), on: .automatic)
    #expect(pruned.weight == Matrix(rows: 5, columns: 52))
    #expect(pruned.mask.pattern(row: 4, group: 12) == .keep01)
    #expect(pruned.dampening == 0.01 && pruned.fallback == nil)
  }

  @Test func rowsOfZerosStayAndEqualRowsStayEqual() throws {
    var (weight, inputs) = Reference.layer(rows: 6, columns: 100, tokens: 150, seed: 7)
    for column in 0..<100 {
      weight[1, column] = 0
      weight[3, column] = 0.25
      weight[5, column] = 0.25
    }
    let pruned = try SparseGPT().prune(
      weight, inputs: gramStatistics(of: inputs, on: .automatic), on: .automatic)
    #expect(row(pruned.weight, 1).allSatisfy { $0 == 0 })
    #expect(row(pruned.weight, 3).elementsEqual(row(pruned.weight, 5)))
    #expect(row(pruned.weight, 3).count { $0 != 0 } == 50)
  }

  @Test func noRowsAreNoWork() throws {
    let inputs = gramStatistics(of: randomMatrix(9, 8, seed: 8), on: .automatic)
    let pruned = try SparseGPT().prune(
      Matrix(rows: 0, columns: 8), inputs: inputs, on: .automatic)
    #expect(pruned.weight.values.isEmpty && pruned.mask.bytes.isEmpty)
  }

  // MARK: - Grams that cannot be factored

  /// The unit matrix but for two inputs that are said to share more than they have.
  private func gram(shared: Float) -> InputStatistics {
    var matrix = Matrix(rows: 8, columns: 8)
    for index in 0..<8 { matrix[index, index] = 1 }
    (matrix[1, 6], matrix[6, 1]) = (shared, shared)
    return .gram(Gram(matrix, tokens: 10))
  }

  /// 1 + d must exceed what the two share.
  @Test(arguments: [(Float(0.5), 0.01), (1.005, 0.01), (1.05, 0.1), (1.5, 1)])
  func dampeningRisesUntilTheGramCanBeFactored(shared: Float, dampening: Double) throws {
    let pruned = try SparseGPT().prune(
      randomMatrix(3, 8, seed: 9), inputs: gram(shared: shared), on: .automatic)
    #expect(pruned.dampening == dampening)
    #expect(pruned.fallback == nil)
  }

  @Test func wandaStandsInWhereNoDampeningHelps() throws {
    let weight = randomMatrix(3, 8, seed: 10)
    let pruned = try SparseGPT().prune(weight, inputs: gram(shared: 100), on: .automatic)
    let wanda = try Wanda().prune(weight, inputs: gram(shared: 100), on: .automatic)
    #expect(pruned.weight == wanda.weight && pruned.mask == wanda.mask)
    #expect(pruned.dampening == nil)
    #expect(
      pruned.fallback
        == PrunedWeight.Fallback(method: .wanda, reason: .notPositiveDefinite(dampening: 1)))
  }

  @Test func aNegativeDiagonalFallsBackToo() throws {
    var matrix = Matrix(rows: 4, columns: 4)
    for index in 0..<4 { matrix[index, index] = index == 2 ? -9 : 1 }
    let pruned = try SparseGPT().prune(
      Matrix(rows: 1, columns: 4, [1, 2, 3, 4]), inputs: .gram(Gram(matrix, tokens: 1)),
      on: .automatic)
    #expect(pruned.weight.values == [0, 2, 0, 4])
    #expect(pruned.fallback?.method == .wanda)
  }

  // MARK: - What cannot be pruned

  @Test func badInputIsNamed() throws {
    let weight = randomMatrix(2, 8, seed: 1)
    let good = gram(shared: 0)
    #expect(throws: PruningError.missingStatistics(.gram)) {
      try SparseGPT().prune(weight, inputs: .norms([Float](repeating: 1, count: 8)), on: .automatic)
    }
    #expect(throws: PruningError.statisticsMismatch(columns: 4, features: 8)) {
      try SparseGPT().prune(randomMatrix(2, 4, seed: 1), inputs: good, on: .automatic)
    }
    #expect(throws: PruningError.columnsNotMultipleOfFour(columns: 6)) {
      let inputs = gramStatistics(of: randomMatrix(9, 6, seed: 1), on: .automatic)
      return try SparseGPT().prune(randomMatrix(2, 6, seed: 1), inputs: inputs, on: .automatic)
    }
    var broken = weight
    broken[1, 3] = .infinity
    #expect(throws: PruningError.nonFiniteWeights(count: 1)) {
      try SparseGPT().prune(broken, inputs: good, on: .automatic)
    }
  }

  @Test func aGramOfActivationsThatAreNotNumbersIsAnError() {
    var inputs = randomMatrix(20, 60, seed: 2)
    inputs[4, 50] = .nan
    // Every product with the NaN is one, and so something is wrong with every input.
    #expect(throws: PruningError.nonFiniteInputs(count: 60)) {
      try SparseGPT().prune(
        randomMatrix(2, 60, seed: 1), inputs: gramStatistics(of: inputs, on: .automatic),
        on: .automatic)
    }
  }

  @Test func weightsBeyondFloat32AreAnError() {
    let weight = Matrix(rows: 1, columns: 4, [3e38, 3e38, -3e38, 3e38])
    var inputs = Matrix(rows: 4, columns: 4)
    for token in 0..<4 {
      for column in 0..<4 { inputs[token, column] = column == token ? 1.1 : 1 }
    }
    let error = #expect(throws: PruningError.self) {
      try SparseGPT().prune(
        weight, inputs: gramStatistics(of: inputs, on: .automatic), on: .automatic)
    }
    guard case .overflow = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}

/// The share of groups of four in which both masks keep the same.
private func shareOfEqualGroups(_ a: [Bool], _ b: [Bool]) -> Double {
  let starts = stride(from: 0, to: a.count, by: 4)
  let equal = starts.count { a[$0..<$0 + 4] == b[$0..<$0 + 4] }
  return Double(equal) / Double(a.count / 4)
}

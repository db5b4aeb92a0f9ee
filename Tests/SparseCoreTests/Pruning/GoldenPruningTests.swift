import SparseCore
import TestSupport
import Testing

/// Magnitude and Wanda against the reference program's layers: the same masks, the kept weights bit for bit.
@Suite(.enabled(if: Shared.exists)) struct GoldenPruningTests {
  @Test(arguments: GoldenLayer.names, KernelSet.available)
  func magnitudeEqualsTheReference(name: String, kernels: KernelSet) throws {
    let layer = try GoldenLayer(name)
    let pruned = try Magnitude().prune(
      layer.weight, inputs: .none, on: Compute(kernels: kernels))
    #expect(pruned.weight == (try layer.matrix("magnitude")))
    #expect(pruned.mask.violations(in: pruned.weight) == 0)
  }

  @Test(arguments: GoldenLayer.names, KernelSet.available)
  func wandaEqualsTheReference(name: String, kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    let layer = try GoldenLayer(name)
    var norms = InputNorms(inputs: layer.inputs.columns)
    norms.add(layer.inputs, on: compute)
    let pruned = try Wanda().prune(layer.weight, inputs: .norms(norms.norms), on: compute)
    #expect(pruned.weight == (try layer.matrix("wanda")))
  }

  @Test func aGramServesWandaAsWellAsNorms() throws {
    let layer = try GoldenLayer("layer_32x64")
    var gram = Gram(inputs: layer.inputs.columns)
    gram.add(layer.inputs)
    let pruned = try Wanda().prune(layer.weight, inputs: .gram(gram), on: .automatic)
    #expect(pruned.weight == (try layer.matrix("wanda")))
  }
}

@Suite struct WandaTests {
  /// Scores by the norm keep columns 0 and 1; by its square they would keep 2 and 3.
  @Test func usesTheNormAndNotItsSquare() throws {
    let weight = Matrix(rows: 1, columns: 4, [10, 10, 3, 3])
    let norms: [Float] = [1, 1, 3, 3]
    let pruned = try Wanda().prune(weight, inputs: .norms(norms), on: .automatic)
    #expect(pruned.weight.values == [10, 10, 0, 0])
    let squares = try Wanda().prune(weight, inputs: .norms(norms.map { $0 * $0 }), on: .automatic)
    #expect(squares.weight.values == [0, 0, 3, 3])
  }

  @Test func saysWhichStatisticsAreMissingOrDoNotFit() {
    let weight = Matrix(rows: 1, columns: 4, [1, 2, 3, 4])
    #expect(throws: PruningError.missingStatistics(.norms)) {
      try Wanda().prune(weight, inputs: .none, on: .automatic)
    }
    #expect(throws: PruningError.statisticsMismatch(columns: 4, features: 3)) {
      try Wanda().prune(weight, inputs: .norms([1, 2, 3]), on: .automatic)
    }
    #expect(throws: PruningError.nonFiniteInputs(count: 1)) {
      try Wanda().prune(weight, inputs: .norms([1, 2, .nan, 4]), on: .automatic)
    }
  }
}

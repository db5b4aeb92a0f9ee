import TestSupport
import Testing

@testable import SparseCore

/// ADMM against the reference program's layers.
@Suite(.enabled(if: Shared.exists)) struct GoldenADMMTests {
  @Test(arguments: GoldenLayer.names, KernelSet.available)
  func theErrorIsTheReferences(name: String, kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels, threads: 1)
    let layer = try GoldenLayer(name)
    let inputs = gramStatistics(of: layer.inputs, on: compute)
    let pruned = try ADMM().prune(layer.weight, inputs: inputs, on: compute)
    let error = Reference.relativeError(
      of: pruned.weight, for: layer.weight, gram: DoubleMatrix(gramOf: layer.inputs))
    let expected = try layer.relativeError("admm_cd")
    #expect(abs(error - expected) <= 0.01 * expected, "\(error) \(expected)")
    #expect(pruned.mask.violations(in: pruned.weight) == 0)
    #expect(pruned.dampening == 0.01 && pruned.fallback == nil)
    for threads in [2, 5] {
      let compute = Compute(kernels: kernels, threads: threads)
      let other = try ADMM().prune(
        layer.weight, inputs: gramStatistics(of: layer.inputs, on: compute), on: compute)
      #expect(bits(other.weight.values) == bits(pruned.weight.values), "\(threads) threads")
      #expect(other.mask == pruned.mask)
    }
  }

  @Test(arguments: GoldenLayer.names, KernelSet.available)
  func onAGridTheErrorIsTheReferences(name: String, kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    let layer = try GoldenLayer(name)
    let gram = DoubleMatrix(gramOf: layer.inputs)
    let inputs = gramStatistics(of: layer.inputs, on: compute)
    for (method, reference) in [
      (SparseGPT() as any SolvingPruner, "joint_int8"), (ADMM(), "admm_cd_int8_swept"),
    ] {
      var solver = try method.solver(for: inputs, on: compute)
      let pruned = try solver.prune([layer.weight], onto: Int8Rule(), on: compute)[0]
      let error = Reference.relativeError(of: pruned.weight, for: layer.weight, gram: gram)
      let expected = try layer.relativeError(reference)
      #expect(abs(error - expected) <= 0.01 * expected, "\(reference): \(error) \(expected)")
      let grid = try #require(pruned.grid)
      #expect(grid.rounded(pruned.weight) == pruned.weight)
      #expect(pruned.mask.violations(in: pruned.weight) == 0)
    }
  }
}

@Suite struct ADMMTests {
  /// More effort finds less error, and each less than SparseGPT.
  @Test(arguments: KernelSet.available) func effortPays(kernels: KernelSet) throws {
    let compute = Compute(kernels: kernels)
    let (weight, inputs) = Reference.layer(rows: 60, columns: 132, tokens: 300, seed: 21)
    let statistics = gramStatistics(of: inputs, on: compute)
    let gram = DoubleMatrix(gramOf: inputs)
    let pruners: [any Pruner] = [SparseGPT()] + Effort.allCases.map { ADMM(effort: $0) }
    let errors = try pruners.map {
      let pruned = try $0.prune(weight, inputs: statistics, on: compute)
      #expect(pruned.mask.violations(in: pruned.weight) == 0)
      return Reference.relativeError(of: pruned.weight, for: weight, gram: gram)
    }
    #expect(errors[0] > 1.03 * errors[1], "\(errors)")
    #expect(errors[1] > errors[2] && errors[2] >= 0.999 * errors[3], "\(errors)")
  }
}

func gramStatistics(of inputs: Matrix, on compute: Compute) -> InputStatistics {
  var gram = Gram(inputs: inputs.columns)
  gram.add(inputs, on: compute)
  return .gram(gram)
}

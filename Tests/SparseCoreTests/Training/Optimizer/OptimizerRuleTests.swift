import SparseCore
import TestSupport
import Testing

/// Single steps from random moments against the papers' formulas in float64.
@Suite struct OptimizerRuleTests {
  static let counts = [0, 1, 3, 4, 5, 8, 9, 15, 16, 17, 33, 1_025]

  /// The optimizer's state after one step from random moments, beside the reference's weights before it.
  private func step(
    _ rule: any OptimizerRule, count: Int, number: Int, decays: Bool, kernels: KernelSet
  ) throws -> (before: [ReferenceWeight], gradients: [Double], weights: [Float], moments: [[Float]])
  {
    let parameter = MaskedOptimizer.Parameter(
      name: "weight", rows: 1, columns: count, decays: decays)
    let start = randomMatrix(1, count, seed: 1)
    var moments = (0..<rule.momentCount).map { randomFloats(count, seed: 10 + UInt64($0)) }
    if rule.momentCount == 2 { moments[1] = moments[1].map { $0 * $0 } }
    let state = OptimizerState(
      rule: rule.name, steps: number - 1,
      parameters: [
        .init(
          name: "weight",
          values: Matrix(rows: rule.momentCount, columns: count, moments.flatMap { $0 }))
      ])
    var optimizer = try MaskedOptimizer(rule, for: [parameter], from: state)
    var (weights, gradients) = ([start], [randomMatrix(1, count, seed: 2)])
    let slopes = gradients[0].values.map(Double.init)
    try optimizer.step(
      &weights, gradients: &gradients, learningRate: 0.1,
      on: Compute(kernels: kernels, threads: 1))
    let after = optimizer.state.parameters[0].values
    let before = (0..<count).map { index in
      ReferenceWeight(
        Double(start.values[index]), moments: moments.map { Double($0[index]) })
    }
    return (before, slopes, weights[0].values, (0..<rule.momentCount).map { Array(row(after, $0)) })
  }

  @Test(arguments: KernelSet.available, counts)
  func adamWFollowsThePaper(kernels: KernelSet, count: Int) throws {
    for (number, decays) in [(1, true), (2, false), (1_000, true)] {
      let rule = AdamW(beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.4)
      let found = try step(rule, count: count, number: number, decays: decays, kernels: kernels)
      var expected: [[Expected]] = [[], [], []]
      for (weight, gradient) in zip(found.before, found.gradients) {
        var after = weight
        after.step(rule, gradient: gradient, number: number, learningRate: 0.1, decays: decays)
        let sum = abs(weight.moments[0]) + abs(gradient)
        // The mean may be all but cancelled, so its rounding counts with what it is the sum of.
        let step =
          0.1 * sum / (1 - Math.power(0.9, Double(number)))
          / ((after.moments[1] / (1 - Math.power(0.99, Double(number)))).squareRoot() + 1e-3)
        expected[0].append(
          Expected(value: after.value, magnitude: abs(weight.value) + step, terms: 9))
        expected[1].append(Expected(value: after.moments[0], magnitude: sum, terms: 3))
        expected[2].append(
          Expected(value: after.moments[1], magnitude: after.moments[1], terms: 4))
      }
      expectClose(found.weights, expected[0], "weights at \(number)")
      expectClose(found.moments[0], expected[1], "first moments at \(number)")
      expectClose(found.moments[1], expected[2], "second moments at \(number)")
    }
  }

  @Test(arguments: KernelSet.available, counts)
  func sgdFollowsItsFormula(kernels: KernelSet, count: Int) throws {
    for (momentum, nesterov, decays) in [
      (0.9, false, true), (0.8, true, true), (0.0, false, true), (0.0, true, false),
    ] {
      let rule = SGD(momentum: momentum, weightDecay: 0.4, nesterov: nesterov)
      let found = try step(rule, count: count, number: 3, decays: decays, kernels: kernels)
      var (weights, velocities): ([Expected], [Expected]) = ([], [])
      for (weight, gradient) in zip(found.before, found.gradients) {
        var after = weight
        after.step(rule, gradient: gradient, learningRate: 0.1, decays: decays)
        let sum = abs(weight.moments.first ?? 0) + abs(gradient)
        weights.append(
          Expected(value: after.value, magnitude: abs(weight.value) + 0.2 * sum, terms: 6))
        if let velocity = after.moments.first {
          velocities.append(Expected(value: velocity, magnitude: sum, terms: 3))
        }
      }
      expectClose(found.weights, weights, "weights, momentum \(momentum)")
      expectClose(found.moments.first ?? [], velocities, "velocities, momentum \(momentum)")
    }
  }

  /// A rule of one's own: no more than its type.
  private struct SignDescent: OptimizerRule {
    let name = "sign"
    let momentCount = 1

    func update(
      step: Int, learningRate: Double, decays: Bool, on kernels: KernelSet
    ) -> @Sendable (OptimizerBlock) -> Void {
      { block in
        let seen = block.moment(0)
        for index in block.weights.indices {
          seen[index] += 1
          block.weights[index] -= Float(learningRate) * (block.gradients[index] < 0 ? -1 : 1)
        }
      }
    }
  }

  @Test func anotherRuleSeesEveryTrainedWeightOnce() throws {
    let data = try TrainingCase()
    var optimizer = MaskedOptimizer(SignDescent(), for: data.parameters)
    var (weights, gradients) = (data.weights, data.gradients(at: 0))
    try optimizer.step(&weights, gradients: &gradients, learningRate: 0.25)
    // One moment of each parameter.
    #expect(optimizer.state.parameters.count == data.parameters.count)
    for moments in optimizer.state.parameters {
      #expect(moments.values.values.allSatisfy { $0 == 1 }, "\(moments.name)")
    }
    for (index, parameter) in data.parameters.enumerated() {
      let (before, slopes) = (data.weights[index].values, data.gradients(at: 0)[index].values)
      let expected = TrainingCase.trained(parameter).enumerated().map { place, isTrained in
        isTrained ? before[place] - 0.25 * (slopes[place] < 0 ? -1 : 1) : 0
      }
      #expect(bits(weights[index].values) == bits(expected))
    }
  }
}

import SparseCore
import TestSupport
import Testing

@Suite struct OptimizerStateTests {
  @Test(arguments: MaskedOptimizerTests.rules.indices)
  func trainingGoesOnFromAStateBitForBit(rule: Int) throws {
    let data = try TrainingCase()
    let rule = MaskedOptimizerTests.rules[rule]
    var whole = MaskedOptimizer(rule, for: data.parameters)
    var expected = data.weights
    try whole.train(&expected, on: data, steps: 0..<10, clippingNorm: 20)

    var first = MaskedOptimizer(rule, for: data.parameters)
    var weights = data.weights
    try first.train(&weights, on: data, steps: 0..<6, clippingNorm: 20)
    let (state, between) = (first.state, weights)
    #expect(state.steps == 6 && state.rule == rule.name)
    var second = try MaskedOptimizer(rule, for: data.parameters, from: state)
    try second.train(&weights, on: data, steps: 6..<10, clippingNorm: 20)
    #expect(bits(weights) == bits(expected))
    #expect(second.state == whole.state)

    // The state was not touched by the steps since.
    weights = between
    try second.restore(state)
    try second.train(&weights, on: data, steps: 6..<10, clippingNorm: 20)
    #expect(bits(weights) == bits(expected))
  }

  @Test func stateIsHalfAsLargeForMaskedWeights() throws {
    let mask = try Mask24.random(rows: 6, columns: 40, seed: 1)
    let masked = [MaskedOptimizer.Parameter(name: "w", rows: 6, columns: 40, mask: mask)]
    let dense = [MaskedOptimizer.Parameter(name: "w", rows: 6, columns: 40)]
    #expect(MaskedOptimizer.stateBytes(for: dense, rule: AdamW()) == 2 * 6 * 40 * 4)
    #expect(MaskedOptimizer.stateBytes(for: masked, rule: AdamW()) == 6 * 40 * 4)
    #expect(MaskedOptimizer.stateBytes(for: masked + dense, rule: SGD()) == 6 * 60 * 4)
    #expect(MaskedOptimizer.stateBytes(for: masked, rule: SGD(momentum: 0)) == 0)
    let data = try TrainingCase()
    for rule in MaskedOptimizerTests.rules {
      let state = MaskedOptimizer(rule, for: data.parameters).state
      #expect(
        state.parameters.reduce(0) { $0 + $1.values.values.count * 4 }
          == MaskedOptimizer.stateBytes(for: data.parameters, rule: rule))
    }
  }

  @Test func aStateThatDoesNotFitIsRefused() throws {
    let data = try TrainingCase()
    var optimizer = MaskedOptimizer(AdamW(), for: data.parameters)
    var weights = data.weights
    try optimizer.train(&weights, on: data, steps: 0..<1)
    let good = optimizer.state
    func expect(_ error: OptimizerError, _ change: (inout OptimizerState) -> Void) {
      var state = good
      change(&state)
      #expect(throws: error) { try optimizer.restore(state) }
      #expect(throws: error) {
        _ = try MaskedOptimizer(AdamW(), for: data.parameters, from: state)
      }
      #expect(optimizer.state == good)
    }
    expect(.stateOfAnotherRule(found: "sgd", expected: "adamw")) { $0.rule = "sgd" }
    expect(.stateSteps(-1)) { $0.steps = -1 }
    expect(.stateParameterCount(found: 5, expected: 6)) { $0.parameters.removeLast() }
    expect(.stateParameter(found: "other", expected: "parameter 2")) {
      $0.parameters[2].name = "other"
    }
    expect(
      .stateShape(
        parameter: "parameter 3", rows: 10, columns: 32, expectedRows: 10, expectedColumns: 33)
    ) { $0.parameters[3].values = Matrix(rows: 10, columns: 32) }
    expect(
      .stateShape(
        parameter: "parameter 2", rows: 7, columns: 2, expectedRows: 14, expectedColumns: 2)
    ) { $0.parameters[2].values = Matrix(rows: 7, columns: 2) }
    expect(.nonFiniteState(parameter: "parameter 3", count: 2)) {
      $0.parameters[3].values[0, 0] = .nan
      $0.parameters[3].values[9, 32] = -.infinity
    }
  }

  @Test(arguments: [
    (
      OptimizerError.nonFiniteGradient(parameter: "w", count: 3, step: 7),
      "step 7: the gradient of 'w' holds 3 NaN or infinite values"
    ),
    (
      .stateOfAnotherRule(found: "sgd", expected: "adamw"),
      "the optimizer's state is of 'sgd', not of 'adamw'"
    ),
    (.stateSteps(-2), "the optimizer's state counts -2 steps"),
    (
      .stateParameterCount(found: 1, expected: 2),
      "the optimizer's state has 1 parameter, expected 2"
    ),
    (
      .stateParameter(found: "a", expected: "b"),
      "the optimizer's state has the parameter 'a' in the place of 'b'"
    ),
    (
      .stateShape(parameter: "w", rows: 1, columns: 2, expectedRows: 3, expectedColumns: 4),
      "the optimizer's state of 'w' is 1 × 2, expected 3 × 4"
    ),
    (
      .nonFiniteState(parameter: "w", count: 1),
      "the optimizer's state of 'w' holds 1 NaN or infinite values"
    ),
  ])
  func errorsSayWhatIsWrong(error: OptimizerError, text: String) {
    #expect("\(error)" == text)
  }
}

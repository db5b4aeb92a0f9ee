/// What a ``MaskedOptimizer`` remembers between two steps: with the weights, all that it takes to go on bit for bit.
public struct OptimizerState: Sendable, Equatable {
  /// What is remembered of one parameter.
  public struct Moments: Sendable, Equatable {
    /// The parameter's name.
    public var name: String
    /// One matrix below the other, each of the parameter's rows: all moments 0, then all moments 1, and so on.
    ///
    /// A masked parameter's have half its columns, for its kept weights in their order.
    public var values: Matrix

    /// The moments of the parameter called `name`.
    public init(name: String, values: Matrix) {
      self.name = name
      self.values = values
    }
  }

  /// The rule's name.
  public var rule: String
  /// How many steps have been made.
  public var steps: Int
  /// The moments of each parameter, in the optimizer's order.
  public var parameters: [Moments]

  /// A state of these parts.
  public init(rule: String, steps: Int, parameters: [Moments]) {
    self.rule = rule
    self.steps = steps
    self.parameters = parameters
  }
}

extension MaskedOptimizer {
  /// The state after the steps so far.
  ///
  /// It shares its memory with the optimizer until the next step, which makes a copy if the state is still held.
  public var state: OptimizerState {
    OptimizerState(
      rule: rule.name, steps: steps,
      parameters: zip(parameters, moments).map { .init(name: $0.name, values: $1) })
  }

  /// An optimizer that goes on from a state.
  ///
  /// - Throws: ``OptimizerError`` where the state is not one of this rule and these parameters.
  public init(
    _ rule: any OptimizerRule, for parameters: [Parameter], from state: OptimizerState,
    on compute: Compute = .automatic
  ) throws(OptimizerError) {
    self.init(rule, parameters, steps: 0, moments: [])
    try restore(state, on: compute)
  }

  /// Goes back to a state; an error leaves everything as it was.
  ///
  /// - Throws: ``OptimizerError`` where the state is not one of this rule and these parameters.
  public mutating func restore(
    _ state: OptimizerState, on compute: Compute = .automatic
  ) throws(OptimizerError) {
    guard state.rule == rule.name else {
      throw .stateOfAnotherRule(found: state.rule, expected: rule.name)
    }
    guard state.steps >= 0 else { throw .stateSteps(state.steps) }
    guard state.parameters.count == parameters.count else {
      throw .stateParameterCount(found: state.parameters.count, expected: parameters.count)
    }
    for (found, parameter) in zip(state.parameters, parameters) {
      try Self.check(found, against: parameter, momentCount: rule.momentCount, on: compute)
    }
    steps = state.steps
    moments = state.parameters.map(\.values)
  }

  private static func check(
    _ found: OptimizerState.Moments, against parameter: Parameter, momentCount: Int,
    on compute: Compute
  ) throws(OptimizerError) {
    guard found.name == parameter.name else {
      throw .stateParameter(found: found.name, expected: parameter.name)
    }
    let (values, rows) = (found.values, momentCount * parameter.rows)
    guard values.rows == rows && values.columns == parameter.trainedColumns else {
      throw .stateShape(
        parameter: parameter.name, rows: values.rows, columns: values.columns, expectedRows: rows,
        expectedColumns: parameter.trainedColumns)
    }
    let bad = values.values.withUnsafeBytes {
      compute.kernels.countNotFinite(values.values.count, .float32, $0.start)
    }
    guard bad == 0 else { throw .nonFiniteState(parameter: parameter.name, count: bad) }
  }
}

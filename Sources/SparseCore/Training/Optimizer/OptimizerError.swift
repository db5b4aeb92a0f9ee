/// Why an optimizer could not step, or could not go on from a state.
public enum OptimizerError: Error, Equatable, Sendable {
  /// The gradient of a trained weight is NaN or infinite; nothing was changed.
  ///
  /// - Parameters:
  ///   - parameter: the first parameter with such a gradient.
  ///   - count: how many of its trained weights have one.
  ///   - step: the step that was not made, from 0.
  case nonFiniteGradient(parameter: String, count: Int, step: Int)
  /// The state is of another rule.
  case stateOfAnotherRule(found: String, expected: String)
  /// The state's step count is negative.
  case stateSteps(Int)
  /// The state has more or fewer parameters.
  case stateParameterCount(found: Int, expected: Int)
  /// The state's parameter has another name.
  case stateParameter(found: String, expected: String)
  /// A parameter's moments have another shape.
  case stateShape(
    parameter: String, rows: Int, columns: Int, expectedRows: Int, expectedColumns: Int)
  /// A parameter's moments hold NaN or infinity.
  case nonFiniteState(parameter: String, count: Int)
}

extension OptimizerError: CustomStringConvertible {
  /// One line that says what is wrong, with the numbers.
  public var description: String {
    switch self {
    case .nonFiniteGradient(let parameter, let count, let step):
      "step \(step): the gradient of '\(parameter)' holds \(count) NaN or infinite values"
    case .stateOfAnotherRule(let found, let expected):
      "the optimizer's state is of '\(found)', not of '\(expected)'"
    case .stateSteps(let steps): "the optimizer's state counts \(steps) steps"
    case .stateParameterCount(let found, let expected):
      "the optimizer's state has \(found.counting("parameter")), expected \(expected)"
    case .stateParameter(let found, let expected):
      "the optimizer's state has the parameter '\(found)' in the place of '\(expected)'"
    case .stateShape(let parameter, let rows, let columns, let expectedRows, let expectedColumns):
      "the optimizer's state of '\(parameter)' is \(rows) × \(columns), "
        + "expected \(expectedRows) × \(expectedColumns)"
    case .nonFiniteState(let parameter, let count):
      "the optimizer's state of '\(parameter)' holds \(count) NaN or infinite values"
    }
  }
}

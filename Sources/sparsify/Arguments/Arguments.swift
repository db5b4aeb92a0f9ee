/// The values of a parsed command line, read by the parameters that declared them.
struct Arguments: Sendable {
  /// By parameter name, in the order given; a parameter that wasn't given has no entry.
  private var values: [String: [any Sendable]] = [:]

  /// What `parameter` gives: what was typed, or its default.
  subscript<Value>(parameter: Parameter<Value>) -> Value {
    parameter.value(values[parameter.spec.name] ?? [])
  }

  /// Whether the parameter called `name` was typed at all.
  func isGiven(_ name: String) -> Bool { values[name] != nil }

  mutating func append(_ value: any Sendable, to spec: ParameterSpec) {
    values[spec.name, default: []].append(value)
  }
}

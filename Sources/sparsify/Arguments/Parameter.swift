/// A parameter together with the type of what it gives: declared once, it is both an entry of the
/// command's table and the key that reads the parsed value.
///
/// ```swift
/// static let samples = Parameter(option: "samples", "n", .positiveInteger, default: "128", "…")
/// …
/// let samples = arguments[samples]   // Int
/// ```
struct Parameter<Value: Sendable>: ParameterDeclaration {
  let spec: ParameterSpec
  /// Makes the result of the values that were given, in order.
  let value: @Sendable ([any Sendable]) -> Value

  private init(_ spec: ParameterSpec, value: @escaping @Sendable ([any Sendable]) -> Value) {
    self.spec = spec
    self.value = value
  }
}

/// A parameter whose value type doesn't matter.
protocol ParameterDeclaration: Sendable {
  var spec: ParameterSpec { get }
}

extension Parameter {
  /// An option with a value to fall back to: text, read as if it had been typed.
  init(
    option name: String, short: Character? = nil, _ valueName: String, _ type: ValueType<Value>,
    default text: String, _ help: String
  ) {
    let spec = ParameterSpec(
      .option, .optional, name, short: short, valueName: valueName, type, help, default: text)
    self.init(spec) { given in
      if let last = given.last { return cast(last, spec) }
      do throws(ValueError) {
        return try type.read(text)
      } catch {
        preconditionFailure("\(spec.title): the default '\(text)' is invalid: \(error.reason)")
      }
    }
  }

  /// An option that must be given.
  init(
    requiredOption name: String, short: Character? = nil, _ valueName: String,
    _ type: ValueType<Value>, _ help: String
  ) {
    let spec = ParameterSpec(
      .option, .required, name, short: short, valueName: valueName, type, help)
    self.init(spec) { cast($0.last, spec) }
  }

  /// An option that may be left out; `default` says in words what holds then.
  init<Wrapped: Sendable>(
    option name: String, short: Character? = nil, _ valueName: String, _ type: ValueType<Wrapped>,
    note: String? = nil, _ help: String
  ) where Value == Wrapped? {
    let spec = ParameterSpec(
      .option, .optional, name, short: short, valueName: valueName, type, help, note: note)
    self.init(spec) { given in given.last.map { cast($0, spec) } }
  }

  /// An option that may be given without its value, and then has that of `implied`.
  init<Wrapped: Sendable>(
    option name: String, _ valueName: String, _ type: ValueType<Wrapped>, implied: String,
    note: String, _ help: String
  ) where Value == Wrapped? {
    let spec = ParameterSpec(
      .option, .optional, name, valueName: valueName, type, help, note: note, implied: implied)
    self.init(spec) { given in given.last.map { cast($0, spec) } }
  }

  /// An option that may be given many times.
  init<Element: Sendable>(
    repeatedOption name: String, short: Character? = nil, _ valueName: String,
    _ type: ValueType<Element>, _ help: String
  ) where Value == [Element] {
    let spec = ParameterSpec(
      .option, .repeated, name, short: short, valueName: valueName, type, help)
    self.init(spec) { given in given.map { cast($0, spec) } }
  }

  /// `--name`: true if given.
  init(flag name: String, short: Character? = nil, _ help: String) where Value == Bool {
    let spec = ParameterSpec(.flag, .optional, name, short: short, .flag, help)
    self.init(spec) { !$0.isEmpty }
  }

  /// `--name` or `--no-name`: whichever came last.
  init(
    invertibleFlag name: String, short: Character? = nil, default isOn: Bool, _ help: String
  ) where Value == Bool {
    let spec = ParameterSpec(
      .invertibleFlag, .optional, name, short: short, .flag, help,
      note: isOn ? "--\(name)" : "--no-\(name)")
    self.init(spec) { given in given.last.map { cast($0, spec) } ?? isOn }
  }

  /// `--name` or `--no-name`, or neither: then `note` says in words what holds.
  init(optionalFlag name: String, note: String, _ help: String) where Value == Bool? {
    let spec = ParameterSpec(.invertibleFlag, .optional, name, .flag, help, note: note)
    self.init(spec) { given in given.last.map { cast($0, spec) } }
  }

  /// A positional argument that must be given.
  init(argument name: String, _ type: ValueType<Value>, _ help: String) {
    let spec = ParameterSpec(.argument, .required, name, valueName: name, type, help)
    self.init(spec) { cast($0.last, spec) }
  }

  /// The rest of the positional arguments, at least one.
  init<Element: Sendable>(
    arguments name: String, _ type: ValueType<Element>, _ help: String
  ) where Value == [Element] {
    let spec = ParameterSpec(.argument, .oneOrMore, name, valueName: name, type, help)
    self.init(spec) { given in given.map { cast($0, spec) } }
  }

  /// The rest of the positional arguments, perhaps none.
  init<Element: Sendable>(
    repeatedArgument name: String, _ type: ValueType<Element>, note: String? = nil, _ help: String
  ) where Value == [Element] {
    let spec = ParameterSpec(.argument, .repeated, name, valueName: name, type, help, note: note)
    self.init(spec) { given in given.map { cast($0, spec) } }
  }
}

/// The parser stores only what `spec.read` made, so any other type is a mistake in a declaration.
private func cast<Value>(_ value: (any Sendable)?, _ spec: ParameterSpec) -> Value {
  guard let value = value as? Value else {
    preconditionFailure("\(spec.title) holds \(String(describing: value)), not \(Value.self)")
  }
  return value
}

extension ParameterSpec {
  fileprivate init<Value: Sendable>(
    _ form: Form, _ occurrence: Occurrence, _ name: String, short: Character? = nil,
    valueName: String = "", _ type: ValueType<Value>, _ help: String, default text: String? = nil,
    note: String? = nil, implied: String? = nil
  ) {
    self.init(
      form: form, occurrence: occurrence, name: name, short: short, valueName: valueName,
      help: help, defaultText: text, defaultNote: note, impliedText: implied, allowed: type.allowed,
      completion: type.completion, read: { text throws(ValueError) in try type.read(text) })
  }
}

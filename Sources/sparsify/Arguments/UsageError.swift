internal import SparseCore

/// What can be wrong with a command line.
enum UsageError: Error {
  case unknownCommand(String, known: [String])
  case unknownOption(String, known: [String])
  /// `next` is what stands in the value's place and looks like an option, but isn't one.
  case missingValue(ParameterSpec, next: String?)
  case unwantedValue(ParameterSpec, value: String)
  case badValue(ParameterSpec, value: String, reason: String)
  case missingParameter(ParameterSpec)
  case missingOneOf([ParameterSpec])
  /// The parameter must be given because of the others.
  case missingFor(ParameterSpec, reason: String)
  case exclusive([ParameterSpec])
  /// The parameter cannot be given with what other parameters ask for together.
  case conflict(ParameterSpec, with: String)
  /// The parameter was given, and the others make it idle.
  case noEffect(ParameterSpec, reason: String)
  case unexpectedArguments([String])
}

extension UsageError: CustomStringConvertible {
  var description: String {
    switch self {
    case .unknownCommand(let name, let known):
      "Unknown command '\(name)'" + hint(name, known)
    case .unknownOption(let name, let known):
      "Unknown option '\(name)'" + hint(name, known)
    case .missingValue(let parameter, let next):
      "Missing value for '\(parameter.signature)'"
        + (next.map { "; if '\($0)' is the value, write '\(parameter.title)=\($0)'" } ?? "")
    case .unwantedValue(let parameter, let value):
      "The option '\(parameter.title)' takes no value, but '\(value)' was given"
    case .badValue(let parameter, let value, let reason):
      "The value '\(value)' is invalid for '\(parameter.signature)': \(reason)"
    case .missingParameter(let parameter):
      "Missing expected \(parameter.form == .argument ? "argument" : "option")"
        + " '\(parameter.signature)'"
    case .missingOneOf(let parameters):
      (parameters.count == 1 ? "Missing " : "Missing one of ") + list(parameters.map(\.signature))
    case .missingFor(let parameter, let reason): "Missing '\(parameter.signature)': \(reason)"
    case .exclusive(let parameters):
      "Only one of \(list(parameters.map(\.title))) can be given"
    case .conflict(let parameter, let others):
      "The option '\(parameter.title)' cannot be given with \(others)"
    case .noEffect(let parameter, let reason):
      "The option '\(parameter.title)' has no effect: \(reason)"
    case .unexpectedArguments(let words):
      words.count == 1
        ? "Unexpected argument \(list(words))"
        : "\(words.count) unexpected arguments: \(list(words))"
    }
  }

  /// The parameter whose help explains what was expected.
  var parameter: ParameterSpec? {
    switch self {
    case .missingValue(let parameter, _), .unwantedValue(let parameter, _),
      .badValue(let parameter, _, _), .missingParameter(let parameter), .noEffect(let parameter, _),
      .conflict(let parameter, _), .missingFor(let parameter, _):
      parameter
    case .missingOneOf(let parameters), .exclusive(let parameters):
      parameters.first
    case .unknownCommand, .unknownOption, .unexpectedArguments:
      nil
    }
  }

  private func hint(_ word: String, _ known: [String]) -> String {
    Suggestion.nearest(to: word, among: known).map { ". Did you mean '\($0)'?" } ?? ""
  }

  private func list(_ words: [String]) -> String {
    words.map { "'\($0)'" }.joined(separator: ", ")
  }
}

/// A usage error and the command that it was made in: enough for the message to say where to look.
struct UsageFailure: Error, CustomStringConvertible {
  let error: UsageError
  /// Nil if no known command was named.
  let command: CommandSpec?

  /// The error, the help of the parameter concerned if there is one, and the usage line.
  var description: String {
    var lines = ["Error: " + "\(error)".printable]
    if let parameter = error.parameter {
      lines.append("Help:  \(parameter.label)  \(parameter.description)")
    }
    let name = command.map { "\(Help.tool) \($0.name)" } ?? Help.tool
    lines.append("Usage: " + (command.map(Help.usage) ?? Help.rootUsage))
    lines.append("       See '\(name) --help' for more information.")
    return lines.joined(separator: "\n")
  }
}

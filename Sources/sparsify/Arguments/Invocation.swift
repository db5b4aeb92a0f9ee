/// What a whole command line asks for.
enum Invocation {
  /// The help of one command, or of the tool.
  case help(CommandSpec?)
  case version
  case run(any Command.Type, Arguments)

  /// Reads the words after the tool's name.
  static func parse(
    _ words: [String], commands: [any Command.Type]
  ) throws(UsageFailure) -> Invocation {
    guard let first = words.first else { return .help(nil) }
    let rest = Array(words.dropFirst())
    switch first {
    case "-h", "--help": return .help(nil)
    case "--version": return .version
    case "help": return .help(try topic(rest, commands))
    default: break
    }
    if first.hasPrefix("-") {
      throw failure(.unknownOption(first, known: ["--help", "--version"]))
    }
    guard let command = commands.first(where: { $0.spec.name == first }) else {
      throw failure(.unknownCommand(first, known: commands.map { $0.spec.name } + ["help"]))
    }
    do throws(UsageError) {
      guard let arguments = try Parser.parse(rest, for: command.spec) else {
        return .help(command.spec)
      }
      return .run(command, arguments)
    } catch {
      throw UsageFailure(error: error, command: command.spec)
    }
  }

  /// The command that `sparsify help …` asks about.
  private static func topic(
    _ words: [String], _ commands: [any Command.Type]
  ) throws(UsageFailure) -> CommandSpec? {
    let names = words.filter { $0 != "-h" && $0 != "--help" }
    guard let name = names.first else { return nil }
    guard names.count == 1 else {
      throw failure(.unexpectedArguments(Array(names.dropFirst())))
    }
    guard let command = commands.first(where: { $0.spec.name == name }) else {
      if name == "help" { return nil }
      throw failure(.unknownCommand(name, known: commands.map { $0.spec.name }))
    }
    return command.spec
  }

  private static func failure(_ error: UsageError) -> UsageFailure {
    UsageFailure(error: error, command: nil)
  }
}

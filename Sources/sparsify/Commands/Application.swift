internal import SparseCore
internal import SparseModel

/// The whole tool: from the words of the command line to the exit status.
enum Application {
  /// Does what `words`, without the tool's own name, ask for.
  static func run(_ words: [String]) -> ExitStatus {
    Terminal.reserveStandardDescriptors()
    Terminal.turnWriteSignalsIntoErrors()
    do {
      switch try Invocation.parse(words, commands: Registry.commands) {
      case .help(let spec):
        let width = Terminal.output.width
        try Terminal.output.write(
          spec.map { Help.text($0, width: width) }
            ?? Help.text(Registry.commands.map { $0.spec }, width: width))
        return .done
      case .version:
        try Terminal.output.write("\(Tool.name) \(Tool.version)\n")
        return .done
      case .run(let command, let arguments):
        return try run(command, arguments, typedAs: words)
      }
    } catch {
      report(error)
      return ExitStatus(for: error)
    }
  }

  private static func run(
    _ command: any Command.Type, _ arguments: Arguments, typedAs words: [String]
  ) throws -> ExitStatus {
    let context = try Context(arguments, typedAs: words)
    // Before any error is reported, too.
    defer { context.progressLine.erase() }
    Interrupt.listen()
    MappingFault.listen()
    do {
      return try run(command, arguments, in: context)
    } catch let error as UsageError {
      throw UsageFailure(error: error, command: command.spec)
    } catch {
      guard let advice = command.advice(on: error) else { throw error }
      throw AdvisedError(error: error, advice: advice)
    }
  }

  private static func run(
    _ command: any Command.Type, _ arguments: Arguments, in context: Context
  ) throws -> ExitStatus {
    do {
      return try command.run(arguments, in: context)
    } catch {
      // Whatever is wrong may be so for what could not be read.
      try MappingFault.check()
      throw error
    }
  }

  private static func report(_ error: any Error) {
    // Who closed the pipe has seen enough, and knows.
    if case OutputError.closed = error { return }
    let text = error is UsageFailure ? "\(error)" : "Error: " + "\(error)".errorLine
    try? Terminal.error.write(text + "\n")
  }
}

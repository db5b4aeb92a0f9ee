/// One subcommand: its table and its work.
///
/// Adding a command takes one file that conforms and one line in `Registry`.
protocol Command: SendableMetatype {
  /// The command line that it takes.
  static var spec: CommandSpec { get }
  /// Does the work; results go to `context.output`, all else to `context.progress`.
  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus
  /// What someone can do about an error of the libraries, which know nothing of options.
  static func advice(on error: any Error) -> String?
}

extension Command {
  static func advice(on error: any Error) -> String? { nil }
}

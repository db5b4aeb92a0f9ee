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

/// An error and what this command offers instead.
struct AdvisedError: Error, CustomStringConvertible {
  let error: any Error
  let advice: String

  var description: String { "\(error); \(advice)" }
}

/// The commands there are, in the order of the help.
enum Registry {
  static let commands: [any Command.Type] = [
    PruneCommand.self,
    FinetuneCommand.self,
    QuantizeCommand.self,
    CompressCommand.self,
    ExpandCommand.self,
    ExportCommand.self,
    CheckCommand.self,
    InspectCommand.self,
    PlanCommand.self,
    SensitivityCommand.self,
    EvalCommand.self,
    CompareCommand.self,
    SweepCommand.self,
    GenerateCommand.self,
    CalibrateCommand.self,
    MergeCommand.self,
    BenchCommand.self,
    InfoCommand.self,
    CompletionsCommand.self,
  ]
}

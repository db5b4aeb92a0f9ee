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

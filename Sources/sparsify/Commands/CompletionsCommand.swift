/// `sparsify completions`: scripts that let a shell complete the command line.
enum CompletionsCommand: Command {
  /// The shells that there are scripts for.
  enum Shell: String, CaseIterable {
    case bash, zsh, fish

    /// The script that completes `commands`.
    func script(_ commands: [CommandSpec]) -> String {
      switch self {
      case .bash: BashCompletions.script(commands)
      case .zsh: ZshCompletions.script(commands)
      case .fish: FishCompletions.script(commands)
      }
    }
  }

  static let shell = Parameter(
    argument: "shell", ValueType<Shell>.choice, "The shell to write a script for.")

  static let spec = CommandSpec(
    "completions", "Print a completion script for a shell",
    parameters: [shell],
    examples: [
      .init(
        "bash: put this line into ~/.bashrc", "source <(sparsify completions bash)"),
      .init(
        "zsh: into a folder of $fpath",
        "sparsify completions zsh > ~/.zsh/completions/_sparsify"),
      .init(
        "fish", "sparsify completions fish > ~/.config/fish/completions/sparsify.fish"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    try context.print(arguments[shell].script(Registry.commands.map { $0.spec }))
    return .done
  }
}

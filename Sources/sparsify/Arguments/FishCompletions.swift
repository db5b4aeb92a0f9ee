/// The completion script for fish.
enum FishCompletions {
  static func script(_ commands: [CommandSpec]) -> String {
    let tool = Help.tool
    let first = "complete -c \(tool) -n __\(tool)_begins"
    let begin =
      commands.map { "\(first) -a \($0.name) -d \(quoted($0.summary))" } + [
        "\(first) -a help -d 'Show the help of a command'",
        "\(first) -l version -d 'Show the version'",
        "\(first) -s h -l help -d \(quoted(ParameterSpec.help.brief))",
        "complete -c \(tool) -n '__\(tool)_runs help' -a "
          + quoted(commands.map(\.name).joined(separator: " ")),
      ]
    return """
      # fish completion for \(tool)

      function __\(tool)_begins
        test (count (commandline -opc)) -eq 1
      end

      function __\(tool)_runs
        set -l words (commandline -opc)
        test (count $words) -gt 1; and test $words[2] = $argv[1]
      end

      complete -c \(tool) -f
      \((begin + commands.flatMap(section)).joined(separator: "\n"))

      """
  }

  private static func section(_ spec: CommandSpec) -> [String] {
    let start = "complete -c \(Help.tool) -n '__\(Help.tool)_runs \(spec.name)'"
    let options = spec.options.flatMap { option in
      let names = option.switches.map { name in
        name.hasPrefix("--") ? "-l \(name.dropFirst(2))" : "-s \(name.dropFirst())"
      }
      let help = "-d " + quoted(option.brief)
      // `--x` and `--no-x` are two options; `-o` and `--output` are one.
      if option.form == .invertibleFlag { return names.map { "\(start) \($0) \(help)" } }
      let words = [start, names.joined(separator: " ")] + value(option) + [help]
      return [words.joined(separator: " ")]
    }
    let arguments = spec.arguments.filter { $0.completion != .nothing }.map { argument in
      argument.completion == .files
        ? "\(start) -F"
        : "\(start) -a " + quoted(argument.allowed.joined(separator: " "))
    }
    return options + arguments
  }

  private static func value(_ option: ParameterSpec) -> [String] {
    guard option.form == .option else { return [] }
    return switch option.completion {
    case .nothing: ["-x"]
    case .files: ["-r -F"]
    case .values: ["-x -a " + quoted(option.allowed.joined(separator: " "))]
    }
  }

  private static func quoted(_ text: String) -> String {
    "'"
      + text.reduce(into: "") { result, character in
        if "\\'".contains(character) { result.append("\\") }
        result.append(character)
      } + "'"
  }
}

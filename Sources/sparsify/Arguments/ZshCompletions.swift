/// The completion script for zsh.
enum ZshCompletions {
  static func script(_ commands: [CommandSpec]) -> String {
    let names = commands.map { "    \(quoted("\(escaped($0.name)):\(escaped($0.summary))"))\n" }
    return """
      #compdef \(Help.tool)

      _\(Help.tool)_commands() {
        local -a commands
        commands=(
      \(names.joined())    'help:Show the help of a command'
        )
        _describe -t commands subcommand commands
      }

      _\(Help.tool)() {
        local context state state_descr line
        typeset -A opt_args
        _arguments -C \\
          '(- *)'{-h,--help}'[\(escaped(ParameterSpec.help.brief))]' \\
          '(- *)--version[Show the version]' \\
          '1:subcommand:_\(Help.tool)_commands' \\
          '*::argument:->arguments' && return 0
        case $line[1] in
      \(commands.map(section).joined(separator: "\n"))
        help)
          _arguments '1:subcommand:_\(Help.tool)_commands'
          ;;
        esac
      }

      if [[ $funcstack[1] == _\(Help.tool) ]]; then
        _\(Help.tool) "$@"
      else
        compdef _\(Help.tool) \(Help.tool)
      fi

      """
  }

  private static func section(_ spec: CommandSpec) -> String {
    let lines = spec.options.flatMap(option) + spec.arguments.enumerated().map(argument)
    return """
        \(spec.name))
          _arguments -s -S \\
            \(lines.joined(separator: " \\\n      "))
          ;;
      """
  }

  /// `'(-o --output)'{-o+,--output=}'[text]:path:_files'`, and one line each for `--x` and `--no-x`.
  private static func option(_ option: ParameterSpec) -> [String] {
    let text = "[\(escaped(option.brief))]" + value(option)
    if option.occurrence.isRepeated { return [quoted("*--\(option.name)=\(text)")] }
    let switches = option.switches
    let forms = switches.map { form in
      guard option.form == .option else { return form }
      return form.hasPrefix("--") ? form + "=" : form + "+"
    }
    guard switches.count > 1 else { return [quoted(forms[0] + text)] }
    let others = option.name == "help" ? "- *" : switches.joined(separator: " ")
    return [quoted("(\(others))") + "{" + forms.joined(separator: ",") + "}" + quoted(text)]
  }

  private static func argument(_ index: Int, _ argument: ParameterSpec) -> String {
    let place = argument.occurrence.isRepeated ? "*" : "\(index + 1)"
    return quoted(place + value(argument))
  }

  /// `:name:action`; nothing for flags.
  private static func value(_ parameter: ParameterSpec) -> String {
    guard !parameter.valueName.isEmpty else { return "" }
    let action =
      switch parameter.completion {
      case .nothing: " "
      case .files: "_files"
      case .values: "(\(parameter.allowed.joined(separator: " ")))"
      }
    return ":\(escaped(parameter.valueName)):\(action)"
  }

  /// What `_arguments` and `_describe` read as text.
  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      if "\\[]:".contains(character) { result.append("\\") }
      result.append(character)
    }
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}

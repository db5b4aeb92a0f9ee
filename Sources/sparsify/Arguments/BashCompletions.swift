/// The completion script for bash, 3.2 and later, with nothing else installed.
enum BashCompletions {
  static func script(_ commands: [CommandSpec]) -> String {
    let names = commands.map(\.name).joined(separator: " ")
    return """
      # bash completion for \(Help.tool)

      _\(Help.tool)_words() {
        COMPREPLY=($(compgen -W "$1" -- "$word"))
      }

      _\(Help.tool)_files() {
        local IFS=$'\\n'
        # Readline's own file completion quotes names; bash 3.2 can't be asked for it.
        compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$word"))
      }

      _\(Help.tool)() {
        local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        # Readline makes three words of --option=value.
        if [[ $word == = ]]; then
          word=
        elif [[ $previous == = ]]; then
          previous=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        COMPREPLY=()
        if [[ $COMP_CWORD -eq 1 ]]; then
          _\(Help.tool)_words '\(names) help --version -h --help'
          return
        fi
        case ${COMP_WORDS[1]} in
      \(commands.map(section).joined(separator: "\n"))
        help)
          [[ $COMP_CWORD -eq 2 ]] && _\(Help.tool)_words '\(names)'
          ;;
        esac
      }

      complete -F _\(Help.tool) \(Help.tool)

      """
  }

  /// The branch of one command: values after an option that takes one, else options or arguments.
  private static func section(_ spec: CommandSpec) -> String {
    let cases = branches(spec.options.filter { $0.form == .option })
    let switches = spec.options.flatMap(\.switches).joined(separator: " ")
    return """
        \(spec.name))
      \(cases)    if [[ $word == -* ]]; then
            _\(Help.tool)_words '\(switches)'
          else
            \(spec.arguments.first.map(action) ?? ":")
          fi
          ;;
      """
  }

  /// One branch for all options with the same kind of value.
  private static func branches(_ options: [ParameterSpec]) -> String {
    var actions: [(action: String, switches: [String])] = []
    for option in options {
      let action = action(option)
      if let index = actions.firstIndex(where: { $0.action == action }) {
        actions[index].switches += option.switches
      } else {
        actions.append((action, option.switches))
      }
    }
    let branches = actions.map { action, switches in
      """
          \(switches.joined(separator: " | ")))
            \(action)
            return
            ;;

      """
    }
    return branches.isEmpty ? "" : "    case $previous in\n\(branches.joined())    esac\n"
  }

  private static func action(_ parameter: ParameterSpec) -> String {
    switch parameter.completion {
    case .nothing: ":"
    case .files: "_\(Help.tool)_files"
    case .values: "_\(Help.tool)_words '\(parameter.allowed.joined(separator: " "))'"
    }
  }
}

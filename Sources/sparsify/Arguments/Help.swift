internal import SparseModel

/// The help texts, made of the command table.
enum Help {
  static let tool = Tool.name

  /// The help of one command, wrapped to `width` columns.
  static func text(_ spec: CommandSpec, width: Int) -> String {
    var sections = [lines("OVERVIEW: " + spec.summary, width)]
    if !spec.discussion.isEmpty {
      // Between paragraphs there is an empty line.
      sections += spec.discussion.split(separator: "\n").map { lines(String($0), width) }
    }
    sections.append("USAGE: " + usage(spec))
    sections += section("ARGUMENTS", rows(spec.arguments), width)
    sections += section("OPTIONS", rows(spec.options), width)
    sections.append(examples(spec.examples))
    return sections.joined(separator: "\n\n") + "\n"
  }

  /// The help of the tool, wrapped to `width` columns.
  static func text(_ commands: [CommandSpec], width: Int) -> String {
    let options = [
      (label: "--version", text: "Show the version."),
      (label: "-h, --help", text: ParameterSpec.help.help),
    ]
    let statuses = ExitStatus.allCases.map { (label: "\($0.rawValue)", text: $0.meaning) }
    var sections = [
      lines("OVERVIEW: " + overview, width),
      "USAGE: " + rootUsage,
    ]
    sections += section("OPTIONS", options, width)
    sections += section("SUBCOMMANDS", commands.map { (label: $0.name, text: $0.summary) }, width)
    sections += section("ENVIRONMENT", Environment.described, width)
    sections += section("EXIT STATUS", statuses, width)
    sections.append(examples(commands.prefix(4).flatMap { $0.examples.prefix(1) }))
    sections.append("  See '\(tool) help <subcommand>' for detailed help.")
    return sections.joined(separator: "\n\n") + "\n"
  }

  static let overview =
    "Make the weights of a language model 2:4 sparse: calibrate, prune, check and evaluate, "
    + "on the CPU, with no data and no network needed"

  static let rootUsage = "\(tool) <subcommand> [options]"

  /// The usage line: what must be given by name, what may be as `[options]`.
  static func usage(_ spec: CommandSpec) -> String {
    var words = [tool, spec.name]
    for argument in spec.arguments {
      words.append(argument.occurrence == .repeated ? "[\(argument.label)]" : argument.label)
    }
    words += spec.options.filter { $0.occurrence.isRequired }.map(\.signature)
    for names in spec.oneOf {
      let members = spec.options.filter { names.contains($0.name) }.map(\.signature)
      words.append("(" + members.joined(separator: " | ") + ")")
    }
    return (words + ["[options]"]).joined(separator: " ")
  }

  private static func rows(_ parameters: [ParameterSpec]) -> [(label: String, text: String)] {
    parameters.map { ($0.label, $0.description) }
  }

  private static func lines(_ text: String, _ width: Int) -> String {
    Columns.wrap(text, width: width).joined(separator: "\n")
  }

  /// No section for no rows.
  private static func section(
    _ title: String, _ rows: [(label: String, text: String)], _ width: Int
  ) -> [String] {
    guard !rows.isEmpty else { return [] }
    return [([title + ":"] + Columns.rows(rows, width: width)).joined(separator: "\n")]
  }

  private static func examples(_ examples: [CommandSpec.Example]) -> String {
    let lines = examples.map { "  # \($0.comment)\n  \($0.line)" }
    return (["EXAMPLES:"] + [lines.joined(separator: "\n\n")]).joined(separator: "\n")
  }
}

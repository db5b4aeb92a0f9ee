/// Everything there is to say about one command's command line, as data.
///
/// It is declared once, beside the command. The parser, the help, the usage errors, the completion
/// scripts and the tests all read this one table, so none of them can disagree.
struct CommandSpec: Sendable {
  /// The word that selects the command.
  let name: String
  /// One line, without a full stop, for the list of commands and the top of the help.
  let summary: String
  /// Paragraphs for the command's own help, one per line.
  let discussion: String
  /// The positional arguments, in order.
  let arguments: [ParameterSpec]
  /// The options and flags, `--help` last.
  let options: [ParameterSpec]
  /// Sets of options of which exactly one must be given, by name.
  let oneOf: [[String]]
  /// Options that say nothing without another one, by name.
  let requires: [String: String]
  /// Sets of options of which at most one may be given, by name.
  let exclusive: [[String]]
  /// Command lines that work as they stand.
  let examples: [Example]

  /// A command line and what it does.
  struct Example: Sendable {
    let comment: String
    let line: String

    init(_ comment: String, _ line: String) {
      self.comment = comment
      self.line = line
    }
  }

  init(
    _ name: String, _ summary: String, discussion: String = "",
    parameters: [any ParameterDeclaration], oneOf: [[String]] = [],
    requires: [String: String] = [:], exclusive: [[String]] = [], examples: [Example]
  ) {
    self.name = name
    self.summary = summary
    self.discussion = discussion
    let specs = parameters.map(\.spec)
    self.arguments = specs.filter { $0.form == .argument }
    self.options = specs.filter { $0.form != .argument } + [ParameterSpec.help]
    self.oneOf = oneOf
    self.requires = requires
    self.exclusive = exclusive
    self.examples = examples
  }

  /// Arguments and options in the order of the help.
  var parameters: [ParameterSpec] { arguments + options }

  /// The option that goes by `name`, and whether `name` is its `no-` form.
  func option(named name: String) -> (spec: ParameterSpec, isNegated: Bool)? {
    for option in options where option.form != .argument {
      if option.name == name { return (option, false) }
      if option.form == .invertibleFlag, name == "no-" + option.name { return (option, true) }
    }
    return nil
  }

  /// The option whose short form is `short`.
  func option(short: Character) -> ParameterSpec? {
    options.first { $0.short == short }
  }
}

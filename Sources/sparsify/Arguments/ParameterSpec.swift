/// One option, flag or positional argument as data, whatever type its value has.
struct ParameterSpec: Sendable {
  /// How the parameter is written.
  enum Form: Sendable, Equatable {
    /// By its place: `<model>`.
    case argument
    /// `--name <value>` or `--name=<value>`.
    case option
    /// `--name`, which takes no value.
    case flag
    /// `--name` or `--no-name`.
    case invertibleFlag
  }

  /// How often the parameter may be given.
  enum Occurrence: Sendable, Equatable {
    /// Must be given; of several, the last one counts.
    case required
    /// May be left out; of several, the last one counts.
    case optional
    /// Any number of times, none included; all of them count.
    case repeated
    /// Once or more; all of them count.
    case oneOrMore

    /// Whether it must be given.
    var isRequired: Bool { self == .required || self == .oneOrMore }
    /// Whether all of several count.
    var isRepeated: Bool { self == .repeated || self == .oneOrMore }
  }

  let form: Form
  let occurrence: Occurrence
  /// The long name without dashes; for an argument, the name of its value.
  let name: String
  /// The one-letter name.
  let short: Character?
  /// What stands for the value in the help, without brackets; empty for flags.
  let valueName: String
  /// One sentence or two, for the help.
  let help: String
  /// What holds if the parameter is left out, as it would be typed.
  let defaultText: String?
  /// What holds if the parameter is left out and depends on other things, in words.
  let defaultNote: String?
  /// What the value is where the option stands without one; nil where it needs one.
  let impliedText: String?
  /// The values that are accepted, if they can be listed.
  let allowed: [String]
  /// What a shell offers for the value.
  let completion: Completion
  /// Makes a value of the text that was typed.
  let read: @Sendable (String) throws(ValueError) -> any Sendable

  /// What a shell offers for a value.
  enum Completion: Sendable, Equatable {
    case nothing, files, values
  }

  /// `--method`, or `<model>` for an argument.
  var title: String { form == .argument ? "<\(name)>" : "--\(name)" }

  /// Everything that can be typed to name an option: `-o`, `--output`; `--x`, `--no-x`.
  var switches: [String] {
    var switches = short.map { ["-\($0)"] } ?? []
    switches.append("--\(name)")
    if form == .invertibleFlag { switches.append("--no-\(name)") }
    return switches
  }

  /// `--method <method>`: how errors and usage lines name the parameter.
  var signature: String {
    guard form == .option else { return title }
    return impliedText == nil ? "\(title) <\(valueName)>" : "\(title) [<\(valueName)>]"
  }

  /// `-o, --output <path>`: the left column of the help.
  var label: String {
    var label = short.map { "-\($0), " } ?? ""
    label += form == .invertibleFlag ? "--\(name)/--no-\(name)" : signature
    return occurrence.isRepeated ? label + " ..." : label
  }

  /// The text without its full stop, for shells that list options.
  var brief: String { help.hasSuffix(".") ? String(help.dropLast()) : help }

  /// The right column of the help: the text, the values and the default.
  var description: String {
    var notes: [String] = []
    if !allowed.isEmpty { notes.append("values: " + allowed.joined(separator: ", ")) }
    if let impliedText { notes.append("alone: " + impliedText) }
    if let shown = defaultText ?? defaultNote { notes.append("default: " + shown) }
    guard !notes.isEmpty else { return help }
    // The sentence ends behind the notes.
    return "\(brief) (\(notes.joined(separator: "; ")))."
  }

  /// The flag that every command has.
  static let help = Parameter(flag: "help", short: "h", "Show this help.").spec
}

@testable import sparsify

/// A command line with one parameter of each kind, for tests of the parser, the help and the scripts.
enum Sample: Command {
  enum Color: String, CaseIterable { case red, green, blue }

  static let file = Parameter(argument: "file", .path, "What to read.")
  static let extras = Parameter(repeatedArgument: "extra", .text, "Words that follow.")
  static let color = Parameter(
    option: "color", short: "c", "color", ValueType<Color>.choice, default: "red",
    "How it looks.")
  static let count = Parameter(
    option: "count", short: "n", "n", .positiveInteger, default: "3", "How many.")
  static let limit = Parameter(option: "limit", "bytes", .size, note: "none", "Where to stop.")
  static let name = Parameter(requiredOption: "name", "text", .text, "What it is called.")
  static let only = Parameter(repeatedOption: "only", "glob", .glob, "Which ones.")
  static let verbose = Parameter(flag: "verbose", short: "v", "Say more.")
  static let fast = Parameter(flag: "fast", short: "f", "Hurry.")
  static let sort = Parameter(invertibleFlag: "sort", default: true, "Put them in order.")

  static let spec = CommandSpec(
    "sample", "Do one of everything", discussion: "First paragraph.\nSecond paragraph: it's 100%.",
    parameters: [file, extras, color, count, limit, name, only, verbose, fast, sort],
    examples: [.init("Just so", "sparsify sample a --name b")])

  static func run(_ arguments: Arguments, in context: Context) -> ExitStatus { .done }

  /// Parses a line of words without quotes.
  static func parse(_ line: String) throws -> Arguments? {
    try Parser.parse(line.split(separator: " ").map(String.init), for: spec)
  }
}

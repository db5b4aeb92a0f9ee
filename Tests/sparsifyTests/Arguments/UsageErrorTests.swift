import SparseCore
import Testing

@testable import sparsify

@Suite struct UsageErrorTests {
  /// The whole message for a line of words after `sparsify`.
  private func message(_ words: [String]) -> String? {
    do {
      _ = try Invocation.parse(words, commands: Registry.commands + [Sample.self])
      return nil
    } catch {
      return error.description
    }
  }

  private func message(_ line: String) -> String? {
    message(line.split(separator: " ").map(String.init))
  }

  @Test func aBadValueNamesTheOptionTheValueAndTheAllowedSet() {
    #expect(
      message("prune model --method wnda") == """
        Error: The value 'wnda' is invalid for '--method <method>': choose from 'magnitude', 'wanda', 'sparsegpt', 'admm', 'asp'. Did you mean 'wanda'?
        Help:  --method <method>  How to choose the weights that stay; 'asp' is magnitude, then training (values: magnitude, wanda, sparsegpt, admm, asp; default: admm).
        Usage: sparsify prune <model> [options]
               See 'sparsify prune --help' for more information.
        """)
  }

  @Test func aMissingArgumentIsExplained() {
    #expect(
      message("check --json") == """
        Error: Missing expected argument '<model>'
        Help:  <model> ...  A .safetensors file, a model.safetensors.index.json, or a folder with either.
        Usage: sparsify check <model> ... [options]
               See 'sparsify check --help' for more information.
        """)
  }

  @Test func anUnknownOptionGetsTheNearestOne() {
    #expect(
      message("sample --colour red") == """
        Error: Unknown option '--colour'. Did you mean '--color'?
        Usage: sparsify sample <file> [<extra> ...] --name <text> [options]
               See 'sparsify sample --help' for more information.
        """)
  }

  @Test func anUnknownCommandGetsTheNearestOne() {
    #expect(
      message("pruen model") == """
        Error: Unknown command 'pruen'. Did you mean 'prune'?
        Usage: sparsify <subcommand> [options]
               See 'sparsify --help' for more information.
        """)
  }

  @Test func oneOfSeveralOptionsIsAskedFor() {
    #expect(
      message("eval model") == """
        Error: Missing one of '--text <file>', '--tokens <file>'
        Help:  --text <file>  The text to predict, in UTF-8.
        Usage: sparsify eval <model> (--text <file> | --tokens <file>) [options]
               See 'sparsify eval --help' for more information.
        """)
  }

  @Test(arguments: [
    ("frobnicate", "Unknown command 'frobnicate'"),
    ("help prun", "Unknown command 'prun'. Did you mean 'prune'?"),
    ("help prune check", "Unexpected argument 'check'"),
    ("--verison", "Unknown option '--verison'. Did you mean '--version'?"),
    ("-x", "Unknown option '-x'"),
    ("sample --zzz", "Unknown option '--zzz'"),
    ("sample -x", "Unknown option '-x'"),
    ("sample -vx", "Unknown option '-vx'"),
    ("sample -color red", "Unknown option '-color'. Did you mean '--color'?"),
    ("sample --no-sor", "Unknown option '--no-sor'. Did you mean '--no-sort'?"),
    ("sample --no-fast", "Unknown option '--no-fast'"),
    ("sample a --name", "Missing value for '--name <text>'"),
    ("sample a --name --fast", "Missing value for '--name <text>'"),
    ("sample a --name --", "Missing value for '--name <text>'"),
    (
      "sample a --name -zap",
      "Missing value for '--name <text>'; if '-zap' is the value, write '--name=-zap'"
    ),
    ("sample a -n", "Missing value for '--count <n>'"),
    ("sample a", "Missing expected option '--name <text>'"),
    ("sample --name x", "Missing expected argument '<file>'"),
    ("sample a --name x --fast=yes", "The option '--fast' takes no value, but 'yes' was given"),
    ("inspect a b", "Unexpected argument 'b'"),
    ("inspect a b c", "2 unexpected arguments: 'b', 'c'"),
    ("eval m --tokens a --text b", "Only one of '--text', '--tokens' can be given"),
    (
      "sample a --count 0",
      "The value '0' is invalid for '--count <n>': must be a whole number of at least 1"
    ),
    (
      "check m --only [a",
      "The value '[a' is invalid for '--only <glob>': '[' without ']' in pattern '[a'"
    ),
  ])
  func theFirstLineSaysWhatIsWrong(line: String, expected: String) throws {
    let lines = try #require(message(line)).split(separator: "\n")
    #expect(lines.first.map(String.init) == "Error: " + expected)
  }

  @Test func controlCharactersAreSpelledOut() throws {
    let text = try #require(message(["inspect", "a", "\u{1b}[2Jb"]))
    #expect(text.hasPrefix("Error: Unexpected argument '\\u{1b}[2Jb'\n"))
  }
}

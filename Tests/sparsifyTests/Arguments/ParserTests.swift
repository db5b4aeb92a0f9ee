import SparseCore
import Testing

@testable import sparsify

@Suite struct ParserTests {
  private func parse(_ words: [String]) throws -> Arguments {
    try #require(try Parser.parse(words, for: Sample.spec))
  }

  private func parse(_ line: String) throws -> Arguments {
    try parse(line.split(separator: " ").map(String.init))
  }

  @Test func defaultsHoldForWhatIsNotGiven() throws {
    let arguments = try parse("in --name x")
    #expect(arguments[Sample.file] == "in")
    #expect(arguments[Sample.extras] == [])
    #expect(arguments[Sample.color] == .red)
    #expect(arguments[Sample.count] == 3)
    #expect(arguments[Sample.limit] == nil)
    #expect(arguments[Sample.name] == "x")
    #expect(arguments[Sample.only] == [])
    #expect(!arguments[Sample.verbose])
    #expect(arguments[Sample.sort])
    #expect(!arguments.isGiven("color"))
  }

  @Test(arguments: [
    "in --name x --color blue", "in --name=x --color=blue", "--color blue in --name x",
    "-c blue --name x in", "-cblue --name x in", "-c=blue --name x in",
    "--color red --name y in --name x -c blue", "--name x -c blue -- in",
  ])
  func optionsMayBeWrittenInAnyForm(line: String) throws {
    let arguments = try parse(line)
    #expect(arguments[Sample.file] == "in")
    #expect(arguments[Sample.color] == .blue)
    #expect(arguments[Sample.name] == "x")
  }

  @Test func shortFlagsMayBeBundledAndEndInAnOptionWithItsValue() throws {
    let arguments = try parse("in --name x -vfn 7")
    #expect(arguments[Sample.verbose])
    #expect(arguments[Sample.fast])
    #expect(arguments[Sample.count] == 7)
    #expect(try parse("in --name x -fn12")[Sample.count] == 12)
  }

  @Test func allValuesOfARepeatedOptionCountInOrder() throws {
    let arguments = try parse("in --only a* --name x --only=b?")
    #expect(arguments[Sample.only] == [try Glob("a*"), try Glob("b?")])
  }

  @Test func theLastOfAnInvertibleFlagCounts() throws {
    #expect(try !parse("in --name x --no-sort")[Sample.sort])
    #expect(try parse("in --name x --no-sort --sort")[Sample.sort])
  }

  @Test func everythingAfterTwoDashesIsAnArgument() throws {
    let arguments = try parse("--name x -- --color -v --help --")
    #expect(arguments[Sample.file] == "--color")
    #expect(arguments[Sample.extras] == ["-v", "--help", "--"])
    #expect(!arguments[Sample.verbose])
  }

  @Test func valuesMayHoldAnything() throws {
    #expect(try parse(["in", "--name="])[Sample.name].isEmpty)
    #expect(try parse(["in", "--name=--a=b"])[Sample.name] == "--a=b")
    #expect(try parse(["in", "--name", "- a list"])[Sample.name] == "- a list")
    #expect(try parse(["in", "--name", "-1.5"])[Sample.name] == "-1.5")
    #expect(try parse(["in", "--name", "-"])[Sample.name] == "-")
    #expect(try parse(["-", "--name", "é\n"])[Sample.file] == "-")
  }

  @Test(arguments: [
    "--help", "-h", "in -h", "--name x --help", "--nonsense --help", "in extra -vh --name x",
    "--count zero -h",
  ])
  func helpWinsOverWhateverElseIsWrong(line: String) throws {
    #expect(try Sample.parse(line) == nil)
  }

  @Test func exactlyOneOfASetMustBeGiven() throws {
    let text = try Parser.parse(["m", "--text", "t"], for: EvalCommand.spec)
    #expect(text?[HeldOutText.text] == "t")
    #expect(text?[HeldOutText.tokens] == nil)
    #expect(throws: UsageError.self) { try Parser.parse(["m"], for: EvalCommand.spec) }
    #expect(throws: UsageError.self) {
      try Parser.parse(["m", "--text", "a", "--tokens", "b"], for: EvalCommand.spec)
    }
  }
}

/// Arguments of which there must be one at least.
@Suite struct OneOrMoreArgumentsTests {
  @Test func allOfThemCountInOrder() throws {
    let arguments = try Parser.parse(["a", "--json", "b", "--", "-c"], for: CheckCommand.spec)
    #expect(arguments?[Common.models] == ["a", "b", "-c"])
  }

  @Test(arguments: [[], ["--json"], ["--"]])
  func noneIsWrongUsage(words: [String]) throws {
    let error = #expect(throws: UsageError.self) {
      try Parser.parse(words, for: CheckCommand.spec)
    }
    #expect(error?.description == "Missing expected argument '<model>'")
  }

  @Test func theUsageLineDoesNotOfferToLeaveThemOut() {
    #expect(Help.usage(CheckCommand.spec) == "sparsify check <model> ... [options]")
  }
}

/// An option whose value may be left out.
@Suite struct ImpliedValueTests {
  @Test(
    arguments: [
      (["--smooth"], 0.5), (["--smooth", "0.8"], 0.8), (["--smooth=0"], 0),
      (["--smooth", "--json"], 0.5),
      (["--smooth", "-o", "out"], 0.5), ([], nil),
    ] as [([String], Double?)])
  func standsForTheValueThatIsNotThere(words: [String], alpha: Double?) throws {
    let arguments = try #require(try Parser.parse(["model"] + words, for: PruneCommand.spec))
    #expect(arguments[PruneCommand.smooth] == alpha)
    let reversed = try #require(try Parser.parse(words + ["model"], for: PruneCommand.spec))
    #expect(reversed[PruneCommand.smooth] == alpha)
    #expect(reversed[Common.model] == "model")
  }

  @Test func aNumberOutOfRangeIsRefusedAsItsValue() {
    #expect(throws: UsageError.self) {
      try Parser.parse(["model", "--smooth", "2"], for: PruneCommand.spec)
    }
  }

  @Test(arguments: [
    ["--order", "joint"], ["--group-size", "32"], ["--refit"], ["--dense", "x"],
    ["--refit", "--dense", "x", "--method", "wanda"], ["--quantize", "int8", "--order", "first"],
  ])
  func optionsThatDoNotGoTogetherAreRefused(words: [String]) {
    #expect(throws: UsageError.self) {
      try Parser.parse(["model"] + words, for: PruneCommand.spec)
    }
  }
}

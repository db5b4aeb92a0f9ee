import Testing

@testable import sparsify

@Suite struct SuggestionTests {
  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1),
    ("abc", "xabc", 1), ("ab", "ba", 1), ("kitten", "sitting", 3), ("method", "metohd", 1),
  ])
  func editDistanceCountsEditsAndSwaps(a: String, b: String, distance: Int) {
    #expect(Suggestion.editDistance(a, b) == distance)
    #expect(Suggestion.editDistance(b, a) == distance)
  }

  private static let commands = Registry.commands.map { $0.spec.name }
  private static let options = PruneCommand.spec.options.flatMap(\.switches)

  @Test(arguments: [
    ("purne", "prune"), ("chekc", "check"), ("evla", "eval"), ("insepct", "inspect"),
    ("generte", "generate"), ("complet", "completions"), ("compres", "compress"),
    ("calibrat", "calibrate"), ("mrege", "merge"), ("bnech", "bench"), ("inof", "info"),
  ])
  func commandsAreFound(typed: String, meant: String) {
    #expect(Suggestion.nearest(to: typed, among: Self.commands) == meant)
  }

  @Test(arguments: [
    ("--metod", "--method"), ("--ouptut", "--output"), ("--calib", "--calibration"),
    ("--thread", "--threads"), ("--dryrun", "--dry-run"), ("--lenght", "--length"),
    ("--Force", "--force"), ("--sample", "--samples"), ("--outfile", nil), ("--cuda", nil),
  ])
  func optionsAreFound(typed: String, meant: String?) {
    #expect(Suggestion.nearest(to: typed, among: Self.options) == meant)
  }

  @Test(arguments: ["xyz", "train", "colours", "", "a", "ev"])
  func nothingIsSaidWhenNothingIsNear(typed: String) {
    #expect(Suggestion.nearest(to: typed, among: Self.commands) == nil)
  }

  @Test func theNearestWinsAndThenTheFirst() {
    #expect(Suggestion.nearest(to: "abcd", among: ["abxx", "abcx", "abcy"]) == "abcx")
  }
}

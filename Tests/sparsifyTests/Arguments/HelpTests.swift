import Testing

@testable import sparsify

@Suite struct HelpTests {
  private static let names = Registry.commands.map { $0.spec.name }

  @Test(arguments: names) func helpOfEachCommandIsAsReviewed(name: String) throws {
    let command = try #require(Registry.commands.first { $0.spec.name == name })
    try Snapshot.expect(Help.text(command.spec, width: 80), equals: "help-\(name).txt")
  }

  @Test func helpOfTheToolIsAsReviewed() throws {
    let text = Help.text(Registry.commands.map { $0.spec }, width: 80)
    try Snapshot.expect(text, equals: "help.txt")
  }

  @Test func helpShowsEveryKindOfParameter() throws {
    try Snapshot.expect(Help.text(Sample.spec, width: 60), equals: "help-sample-60.txt")
  }

  @Test(arguments: [30, 40, 72, 80, 132])
  func linesOfTextKeepWithinTheWidth(width: Int) {
    for command in Registry.commands {
      let text = Help.text(command.spec, width: width)
      let beforeExamples = text.split(separator: "\n").prefix { $0 != "EXAMPLES:" }
      // Usage lines, headings and words longer than a column are not broken.
      for line in beforeExamples where line.count > width && !line.hasPrefix("USAGE") {
        let words = line.split(separator: " ")
        #expect(words.count <= 4 || width < 40, "\(command.spec.name) at \(width): \(line)")
      }
    }
  }
}

@Suite struct ColumnsTests {
  @Test(arguments: [
    ("", 10, [""]), ("a b", 10, ["a b"]), ("aa bb cc", 5, ["aa bb", "cc"]),
    ("a  b", 10, ["a b"]), ("toolongword a", 4, ["toolongword", "a"]),
    ("one\ntwo three", 5, ["one", "two", "three"]), ("a\n\nb", 5, ["a", "", "b"]),
  ])
  func wrapBreaksAtSpaces(text: String, width: Int, lines: [String]) {
    #expect(Columns.wrap(text, width: width) == lines)
  }

  @Test func rowsAlignAtOneColumnAndLongLabelsStandAlone() {
    let rows = Columns.rows(
      [("-a", "first text"), ("--long-label-that-does-not-fit", "second"), ("--bb <n>", "")],
      width: 40)
    #expect(
      rows == [
        "  -a        first text", "  --long-label-that-does-not-fit", "            second",
        "  --bb <n>  ",
      ])
  }
}

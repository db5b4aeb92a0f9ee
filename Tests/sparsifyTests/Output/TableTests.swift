import Testing

@testable import sparsify

@Suite struct TableTests {
  @Test func columnsAlignAndLinesHaveNoTrailingSpaces() {
    var table = Table([("name", .left), ("n", .right), ("note", .left)])
    table.append(["a", "1", "x"])
    table.append(["long", "1000", ""])
    #expect(
      table.text == """
        name     n  note
        a        1  x
        long  1000

        """)
  }

  @Test func aTableWithoutTitlesHasNoTitleLine() {
    var table = Table([("", .left), ("", .left)])
    table.append(["key", "value\n"])
    #expect(table.text == "key  value\\u{a}\n")
  }
}

internal import SparseCore

/// A table of GitHub Flavored Markdown; cells are inline Markdown.
struct MarkdownTable {
  /// How a column is aligned.
  enum Alignment: String {
    case left = "---"
    case right = "--:"
  }

  /// The lines of the table, each with its end.
  private(set) var text: String

  init(_ columns: [(title: String, alignment: Alignment)]) {
    text =
      Self.line(columns.map(\.title)) + Self.line(columns.map(\.alignment.rawValue))
  }

  /// Adds a row, with a cell for each column.
  mutating func append(_ cells: [String]) { text += Self.line(cells) }

  private static func line(_ cells: [String]) -> String {
    "| " + cells.joined(separator: " | ") + " |\n"
  }

  /// Text as code, in which nothing is markup, whatever a file may be called.
  ///
  /// A code span cannot hold a backtick, nor a table's cell a vertical bar: such texts become character references.
  static func code(_ text: String) -> String {
    let text = text.printable
    let isPlain = !text.isEmpty && !text.contains { "`|\\".contains($0) }
    if isPlain { return "`\(text)`" }
    let escaped = text.unicodeScalars.reduce(into: "") { escaped, scalar in
      let isMarkup = scalar.isASCII && !scalar.properties.isAlphabetic && !("0"..."9" ~= scalar)
      escaped += isMarkup ? "&#\(scalar.value);" : String(scalar)
    }
    return "<code>\(escaped)</code>"
  }
}

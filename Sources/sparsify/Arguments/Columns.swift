/// Lays out plain text: paragraphs wrapped to a width, and two columns side by side.
enum Columns {
  /// `text` broken at spaces so that no line is wider than `width`, unless one word is.
  ///
  /// Each line of `text` is a paragraph of its own and keeps its line break.
  static func wrap(_ text: String, width: Int) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { paragraph in
      var lines: [String] = []
      var line = ""
      for word in paragraph.split(separator: " ") {
        if !line.isEmpty, line.count + 1 + word.count > width {
          lines.append(line)
          line = ""
        }
        line += line.isEmpty ? word : " " + word
      }
      return lines + [line]
    }
  }

  /// Rows of a label and a text, with the texts wrapped and aligned at one column.
  ///
  /// The column is as narrow as the labels allow, at most 28 and at most half of `width`; a longer
  /// label stands on a line of its own.
  static func rows(_ rows: [(label: String, text: String)], width: Int) -> [String] {
    let limit = min(28, width / 2)
    let widths = rows.map(\.label.count).filter { $0 + 4 <= limit }
    let column = (widths.max() ?? limit - 4) + 4
    return rows.flatMap { label, text in
      var lines = wrap(text, width: max(width - column, 20))
        .map { String(repeating: " ", count: column) + $0 }
      if label.count + 4 <= column {
        let padding = String(repeating: " ", count: column - 2 - label.count)
        lines[0] = "  " + label + padding + lines[0].dropFirst(column)
      } else {
        lines.insert("  " + label, at: 0)
      }
      return lines
    }
  }
}

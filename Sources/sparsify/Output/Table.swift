internal import SparseCore

/// Rows of text in aligned columns.
struct Table {
  /// On which side a column's cells are flush.
  enum Alignment { case left, right }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table with a title line.
  init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row; it needs one cell per column.
  mutating func append(_ cells: [String]) {
    precondition(
      cells.count == titles.count, "Table: \(cells.count) cells for \(titles.count) columns")
    rows.append(cells.map(\.printable))
  }

  /// The lines: columns two spaces apart, no spaces at line ends, the titles only if any is set.
  var text: String {
    let lines = titles.allSatisfy(\.isEmpty) ? rows : [titles] + rows
    let widths = titles.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      var line = ""
      for column in titles.indices {
        let cell = cells[column]
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        if column > 0 { line += "  " }
        line += alignments[column] == .left ? cell + padding : padding + cell
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}

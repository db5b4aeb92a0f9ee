internal import SparseCore

/// The parts that pages are made of.
extension HTML {
  /// A part of the page with a heading.
  package static func section(_ title: String, _ content: HTML...) -> HTML {
    element("section", [], element("h2", [], title), joined(content))
  }

  /// A paragraph.
  package static func paragraph(_ text: String) -> HTML { element("p", [], text) }

  /// A paragraph that explains what is above it.
  package static func note(_ text: String) -> HTML { element("p", [("class", "note")], text) }

  /// Points, one under the other.
  package static func list(_ points: [String]) -> HTML {
    element("ul", [], joined(points.map { element("li", [], $0) }))
  }

  /// Something to be seen before all else, such as what did not go as it was asked for.
  package static func notice(_ title: String, _ content: HTML...) -> HTML {
    element(
      "div", [("class", "notice"), ("role", "note")],
      element("p", [], element("strong", [], title)),
      joined(content))
  }

  /// Names and what they stand for.
  package static func definitions(_ entries: [(term: String, text: String)]) -> HTML {
    element(
      "dl", [],
      joined(entries.map { joined([element("dt", [], $0.term), element("dd", [], $0.text)]) }))
  }

  /// The few numbers that matter most, large.
  package static func keyNumbers(_ numbers: [(value: String, meaning: String)]) -> HTML {
    element(
      "ul", [("class", "key")],
      joined(
        numbers.map { number in
          element(
            "li", [], element("strong", [], number.value), element("span", [], number.meaning))
        }))
  }

  /// A line to be typed into a shell.
  package static func command(_ words: [String]) -> HTML {
    // A line breaks between words: a browser would break them at hyphens, too.
    let pieces = words.map { element("span", [], ShellLine.text([$0])) }
    let line = pieces.dropFirst().reduce(Array(pieces.prefix(1))) { $0 + [.text(" "), $1] }
    return element("pre", [], element("code", [], joined(line)))
  }

  /// Charts beside one another where there is room.
  package static func charts(_ charts: [HTML]) -> HTML {
    element("div", [("class", "charts")], joined(charts))
  }

  /// Pieces under one another in the place of one chart.
  package static func column(_ pieces: [HTML]) -> HTML {
    element("div", [("class", "column")], joined(pieces))
  }

  /// What can be opened, and is open when printed.
  package static func details(_ summary: String, _ content: HTML...) -> HTML {
    element("details", [], element("summary", [], summary), joined(content))
  }
}

/// Rows of cells under titles.
package struct HTMLTable {
  /// What a column holds.
  package enum Column {
    /// Words.
    case words(String)
    /// Numbers, flush right.
    case numbers(String)
    /// Names from a file, in the font of code.
    case names(String)

    fileprivate var title: String {
      switch self {
      case .words(let title), .numbers(let title), .names(let title): title
      }
    }

    fileprivate var attributes: [(StaticString, String)] {
      switch self {
      case .words: []
      case .numbers: [("class", "n")]
      case .names: [("class", "name")]
      }
    }
  }

  private let columns: [Column]
  private var rows: [HTML] = []

  /// A table without rows.
  package init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row; it needs one cell per column.
  package mutating func append(_ cells: [String]) {
    precondition(
      cells.count == columns.count, "HTMLTable: \(cells.count) cells for \(columns.count) columns")
    rows.append(
      .element(
        "tr", [],
        .joined(
          zip(columns, cells).map { column, cell in
            .element("td", column.attributes, .name(cell))
          })))
  }

  /// The table, which is scrolled on its own where it is wider than the page.
  package var html: HTML {
    let titles = columns.map { column in
      HTML.element("th", column.attributes + [("scope", "col")], column.title)
    }
    return .element(
      "div", [("class", "scroll"), ("tabindex", "0")],
      .element(
        "table", [], .element("thead", [], .element("tr", [], .joined(titles))),
        .element("tbody", [], .joined(rows))))
  }
}

internal import SparseCore

/// A value for each row and column, as cells that are the more coloured the larger it is, and that say it.
package struct HeatMap {
  private let title: String
  private let note: String
  private let rowTitle: String
  private let unit: String
  private let rows: [String]
  private let columns: [String]
  private let cells: [[(value: Double, title: String)?]]
  private let scale: ChartScale
  private let isLogarithmic: Bool
  private let ends: (low: Double, high: Double)

  /// A map.
  ///
  /// - Parameters:
  ///   - note: a sentence under the title.
  ///   - rowTitle: what the rows are.
  ///   - unit: what the values are.
  ///   - cells: `rows × columns`; nil where there is nothing.
  ///   - isLogarithmic: whether equal ratios differ equally in colour.
  package init(
    _ title: String, note: String = "", rowTitle: String, unit: String, rows: [String],
    columns: [String], cells: [[(value: Double, title: String)?]], isLogarithmic: Bool = false
  ) {
    precondition(
      cells.count == rows.count && cells.allSatisfy { $0.count == columns.count },
      "HeatMap: \(cells.count) rows of cells for \(rows.count) × \(columns.count)")
    self.title = title
    self.note = note
    self.rowTitle = rowTitle
    self.unit = unit
    self.rows = rows
    self.columns = columns
    self.cells = cells
    self.isLogarithmic = isLogarithmic
    let values = cells.joined().compactMap { $0?.value }.filter(\.isFinite)
    scale = ChartScale(
      values, isLogarithmic ? .logarithmic : .linear, includesZero: !isLogarithmic)
    ends = (values.min() ?? 0, values.max() ?? 0)
  }

  /// The figure.
  package var html: HTML {
    guard !rows.isEmpty, !columns.isEmpty else { return Drawing.empty(title, note) }
    var shapes = [SVG.text(rowTitle, x: left - 6, y: 12, .end, style: "quiet")]
    for (column, name) in columns.enumerated() {
      let most = max(2, Int(cellWidth / SVG.letter))
      shapes.append(
        SVG.group(
          name,
          SVG.text(
            name.shortened(to: most), x: left + (Double(column) + 0.5) * cellWidth, y: 12, .middle,
            style: "quiet")))
    }
    for row in rows.indices {
      let y = 20 + Double(row) * Self.pitch
      shapes.append(
        SVG.text(
          rows[row].shortened(to: 12), x: left - 6, y: y + 13.5, .end, style: "quiet"))
      shapes += columns.indices.compactMap { column in
        cells[row][column].map { cell($0, x: left + Double(column) * cellWidth, y: y) }
      }
    }
    let bottom = 20 + Double(rows.count) * Self.pitch
    let values = cells.joined().compactMap { $0?.value }
    return Drawing(
      title: title, note: note, width: width, height: bottom + 34, shapes: shapes + key(y: bottom)
    ).figure(
      "Heat map: \(title). \(unit), \(rows.count.counting("row")) and \(columns.count.counting("column"))\(SVG.range(values))"
    )
  }

  private func cell(_ cell: (value: Double, title: String), x: Double, y: Double) -> HTML {
    let place = scale.position(cell.value)
    let largest = isLogarithmic ? 0 : max(ends.low.magnitude, ends.high.magnitude)
    let text = SVG.label(cell.value, upTo: largest, digits: 2)
    let fits = Double(text.count) * 5.8 < cellWidth
    return SVG.group(
      cell.title,
      SVG.rectangle(
        x: x, y: y, width: cellWidth, height: Self.pitch, style: place == nil ? "none" : "cell",
        share: place),
      fits ? SVG.text(text, x: x + cellWidth / 2, y: y + 13.5, .middle, style: "small") : .empty)
  }

  /// What the colours mean: the smallest value, the largest, and two between.
  private func key(y: Double) -> [HTML] {
    let (low, high) = (scale.position(ends.low) ?? 0, scale.position(ends.high) ?? 1)
    var shapes = [
      SVG.text(SVG.label(ends.low), x: left, y: y + 25, style: "quiet"),
      SVG.text(
        "\(SVG.label(ends.high))  \(unit)", x: left + 50 + 5 * 22, y: y + 25, style: "quiet"),
    ]
    for step in 0..<5 {
      shapes.append(
        SVG.rectangle(
          x: left + 44 + Double(step) * 22, y: y + 13, width: 22, height: 15, style: "cell",
          share: low + (high - low) * Double(step) / 4))
    }
    return shapes
  }

  private static let pitch = 19.0
  private var left: Double {
    let longest = ([rowTitle] + rows.map { $0.shortened(to: 12) }).map(\.count).max() ?? 0
    return Double(longest) * SVG.letter + 6
  }
  private var cellWidth: Double { max(26, (SVG.width - left) / Double(max(1, columns.count))) }
  private var width: Double { max(SVG.width, left + cellWidth * Double(columns.count)) }
}

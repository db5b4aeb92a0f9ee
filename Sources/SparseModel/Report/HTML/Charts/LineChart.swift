internal import SparseCore

/// Values along an axis, as lines with a mark at every value.
///
/// Series differ in colour, in the dashes of their lines and in the kind of their marks.
package struct LineChart {
  /// One line.
  package struct Series {
    /// Its name.
    package var name: String
    /// Its points, from left to right; a value that cannot be shown breaks the line.
    package var points: [(x: Double, y: Double)]

    /// A line.
    package init(_ name: String, _ points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  private let title: String
  private let note: String
  private let xTitle: String
  private let yTitle: String
  private let series: [Series]
  private let reference: Double?
  private let x: ChartScale
  private let y: ChartScale

  /// A chart of seven series at most: more cannot be told apart.
  ///
  /// - Parameters:
  ///   - note: a sentence under the title.
  ///   - x: what lies along the bottom, with its unit.
  ///   - y: what lies along the side, with its unit.
  ///   - reference: a value that all others are to be compared with, such as 1 for speedups.
  package init(
    _ title: String, note: String = "", x xTitle: String, y yTitle: String, series: [Series],
    reference: Double? = nil, isLogarithmicInX: Bool = false, isLogarithmicInY: Bool = false
  ) {
    precondition(series.count <= 7, "LineChart: \(series.count) series")
    self.title = title
    self.note = note
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.series = series
    self.reference = reference
    let points = series.flatMap(\.points)
    let xs = points.map(\.x)
    let scale = ChartScale(xs, isLogarithmicInX ? .logarithmic : .linear)
    x = isLogarithmicInX ? scale.ticking(at: xs) : scale
    y = ChartScale(
      points.map(\.y) + [reference].compactMap(\.self),
      isLogarithmicInY ? .logarithmic : .linear, includesZero: !isLogarithmicInY)
  }

  /// The figure.
  package var html: HTML {
    guard series.contains(where: { !$0.points.isEmpty }) else { return Drawing.empty(title, note) }
    let legend = legend
    let area = area(below: legend.height)
    let drawing = Drawing(
      title: title, note: note, height: area.bottom + 36,
      shapes: legend.shapes + axes(area) + series.indices.map { line($0, area) })
    let summaries = series.map { "\($0.name)\(SVG.range($0.points.map(\.y)))" }
    return drawing.figure(
      "Line chart: \(title). \(yTitle) by \(xTitle): \(summaries.joined(separator: "; "))")
  }

  /// Where the lines are.
  private struct Area {
    let left: Double
    let right: Double
    let top: Double
    let bottom: Double
  }

  private func area(below legend: Double) -> Area {
    let widest = y.ticks.map { SVG.label($0).count }.max() ?? 0
    return Area(
      left: Double(widest) * SVG.letter + 8, right: SVG.width - 14, top: legend + 26,
      bottom: legend + 26 + 190)
  }

  private func place(_ point: (x: Double, y: Double), _ area: Area) -> (x: Double, y: Double)? {
    guard let x = x.position(point.x), let y = y.position(point.y) else { return nil }
    return (
      area.left + x * (area.right - area.left), area.bottom - y * (area.bottom - area.top)
    )
  }

  /// The names of the series with a piece of their lines, in as many rows as they need.
  private var legend: (shapes: [HTML], height: Double) {
    var (left, top) = (0.0, 0.0)
    var shapes: [HTML] = []
    for (index, series) in series.enumerated() {
      let name = series.name.shortened(to: 50)
      let width = 34 + SVG.width(of: name) + 14
      if left > 0 && left + width > SVG.width { (left, top) = (0, top + 18) }
      shapes += [
        SVG.line(left, top + 8, left + 28, top + 8, style: "line s\(index)"),
        SVG.mark(index, x: left + 14, y: top + 8, style: "point s\(index)"),
        SVG.text(name, x: left + 34, y: top + 12),
      ]
      left += width
    }
    return (shapes, top + 18)
  }

  private func axes(_ area: Area) -> [HTML] {
    var shapes = [SVG.text(yTitle, x: 0, y: area.top - 10, style: "quiet")]
    for tick in y.ticks {
      guard let place = y.position(tick) else { continue }
      let height = area.bottom - place * (area.bottom - area.top)
      shapes += [
        SVG.line(area.left, height, area.right, height, style: tick == 0 ? "axis" : "grid"),
        SVG.text(SVG.label(tick), x: area.left - 5, y: height + 4, .end, style: "quiet"),
      ]
    }
    for tick in x.ticks {
      guard let place = x.position(tick) else { continue }
      let left = area.left + place * (area.right - area.left)
      shapes += [
        SVG.line(left, area.bottom, left, area.bottom + 4, style: "axis"),
        SVG.text(SVG.label(tick, digits: 6), x: left, y: area.bottom + 16, .middle, style: "quiet"),
      ]
    }
    shapes.append(
      SVG.text(
        xTitle, x: (area.left + area.right) / 2, y: area.bottom + 32, .middle, style: "quiet"))
    if let reference, let place = y.position(reference) {
      let height = area.bottom - place * (area.bottom - area.top)
      shapes.append(SVG.line(area.left, height, area.right, height, style: "mark"))
    }
    return shapes
  }

  private func line(_ index: Int, _ area: Area) -> HTML {
    let series = series[index]
    var pieces: [[(x: Double, y: Double)]] = [[]]
    var marks: [HTML] = []
    for point in series.points {
      guard let place = place(point, area) else {
        pieces.append([])
        continue
      }
      pieces[pieces.count - 1].append(place)
      marks.append(
        SVG.group(
          "\(series.name.shortened(to: 200)), \(xTitle) \(SVG.label(point.x, digits: 6)): \(SVG.label(point.y, digits: 4))",
          SVG.mark(index, x: place.x, y: place.y, style: "point s\(index)")))
    }
    let lines = pieces.filter { $0.count > 1 }.map { SVG.polyline($0, style: "line s\(index)") }
    return .joined(lines + marks)
  }
}

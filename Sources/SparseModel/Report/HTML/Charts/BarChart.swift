internal import SparseCore

/// A value for each of some names, as bars from left to right: as many as there are, one under the other.
package struct BarChart {
  /// One bar.
  package struct Bar {
    /// Its name.
    package var label: String
    /// Its length.
    package var value: Double
    /// What is written at its end; nil for the value.
    package var text: String?
    /// What it is told more by where a pointer rests on it.
    package var title: String

    /// A bar.
    package init(label: String, value: Double, text: String? = nil, title: String) {
      self.label = label
      self.value = value
      self.text = text
      self.title = title
    }
  }

  private let title: String
  private let note: String
  private let axis: String
  private let groups: [(name: String, bars: [Bar])]
  private let scale: ChartScale
  private let largest: Double
  private let labelWidth: Double
  private let textWidth: Double

  /// A chart of groups of bars.
  ///
  /// - Parameters:
  ///   - note: a sentence under the title.
  ///   - axis: what the lengths are, with their unit.
  ///   - groups: bars under headings, which may be empty.
  ///   - isLogarithmic: for lengths of different orders of magnitude; those that are not above 0 get no bar.
  package init(
    _ title: String, note: String = "", axis: String, groups: [(name: String, bars: [Bar])],
    isLogarithmic: Bool = false
  ) {
    self.title = title
    self.note = note
    self.axis = axis
    self.groups = groups
    let bars = groups.flatMap(\.bars)
    scale = ChartScale(
      bars.map(\.value), isLogarithmic ? .logarithmic : .linear, includesZero: !isLogarithmic)
    // With lengths of different orders each number has digits of its own.
    let largest = isLogarithmic ? 0 : bars.map(\.value.magnitude).filter(\.isFinite).max() ?? 0
    self.largest = largest
    let longest = bars.map { SVG.width(of: $0.label) }.max() ?? 0
    labelWidth = min(150, max(24, longest + 10))
    let widest = bars.map { SVG.width(of: Self.text($0, largest)) }.max() ?? 0
    textWidth = min(110, widest + 10)
  }

  /// A chart of bars without headings.
  package init(
    _ title: String, note: String = "", axis: String, bars: [Bar], isLogarithmic: Bool = false
  ) {
    self.init(
      title, note: note, axis: axis, groups: [("", bars)], isLogarithmic: isLogarithmic)
  }

  /// The figure.
  package var html: HTML {
    let count = groups.reduce(0) { $0 + $1.bars.count }
    guard count > 0 else { return Drawing.empty(title, note) }
    let pitch = count > 40 ? 15.0 : 21.0
    let top = 38.0
    var y = top
    var shapes: [HTML] = []
    for group in groups where !group.bars.isEmpty {
      if !group.name.isEmpty {
        let most = Int(SVG.width / SVG.letter)
        shapes.append(
          SVG.text(group.name.shortened(to: most), x: 0, y: y + 12, style: "quiet"))
        y += 18
      }
      for bar in group.bars {
        shapes.append(shape(bar, y: y, height: pitch - 5))
        y += pitch
      }
      y += 4
    }
    let drawing = Drawing(
      title: title, note: note, height: y + 4, shapes: axisShapes(top: top, bottom: y) + shapes)
    let all = groups.flatMap(\.bars)
    return drawing.figure(
      "Bar chart: \(title). \(axis). \(count.counting("bar"))\(SVG.range(all.map(\.value)))")
  }

  private func shape(_ bar: Bar, y: Double, height: Double) -> HTML {
    let label = bar.label.shortened(to: Int((labelWidth - 6) / SVG.letter))
    let base = y + height / 2 + 4.5
    let name = SVG.text(label, x: labelWidth - 6, y: base, .end)
    let text = Self.text(bar, largest)
    guard let end = scale.position(bar.value) else {
      return SVG.group(bar.title, name, SVG.text(text, x: labelWidth + 5, y: base, style: "quiet"))
    }
    let start = x(scale.position(0) ?? 0)
    let (left, right) = (min(start, x(end)), max(start, x(end)))
    return SVG.group(
      bar.title, name,
      SVG.rectangle(x: left, y: y, width: max(1, right - left), height: height, style: "bar"),
      SVG.text(text, x: right + 5, y: base))
  }

  /// The title of the axis above the bars, and its ticks.
  private func axisShapes(top: Double, bottom: Double) -> [HTML] {
    let title = SVG.text(axis, x: labelWidth, y: 12, style: "quiet")
    return [title]
      + scale.ticks.flatMap { tick -> [HTML] in
        guard let place = scale.position(tick) else { return [] }
        return [
          SVG.line(x(place), top - 6, x(place), bottom, style: tick == 0 ? "axis" : "grid"),
          SVG.text(SVG.label(tick), x: x(place), y: top - 10, .middle, style: "quiet"),
        ]
      }
  }

  private func x(_ place: Double) -> Double {
    labelWidth + place * (SVG.width - labelWidth - textWidth)
  }

  private static func text(_ bar: Bar, _ largest: Double) -> String {
    bar.text ?? SVG.label(bar.value, upTo: largest, digits: 3)
  }
}

extension Drawing {
  /// A figure for nothing to be drawn.
  static func empty(_ title: String, _ note: String) -> HTML {
    Drawing(
      title: title, note: note, height: 30,
      shapes: [SVG.text("no values", x: 0, y: 20, style: "quiet")]
    ).figure("\(title): no values")
  }
}

extension SVG {
  /// From where to where values go, for a summary.
  static func range(_ values: [Double]) -> String {
    let finite = values.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return ", none a number" }
    return ", from \(label(low)) to \(label(high))"
  }
}

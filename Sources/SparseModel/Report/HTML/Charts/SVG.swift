internal import SparseCore

/// The few shapes that charts are drawn with, in units of which a chart is ``width`` wide.
enum SVG {
  /// So wide that letters of 12 units can be read on a phone, and two charts fit side by side on a desk.
  static let width = 420.0
  /// About the width of a letter or digit of 12 units.
  static let letter = 6.4

  /// About the width of a text of 12 units: letters beyond ASCII may be as wide as they are high.
  static func width(of text: String) -> Double {
    text.unicodeScalars.reduce(0) { $0 + ($1.isASCII ? letter : 12) }
  }

  enum Anchor: String { case start, middle, end }

  static func text(
    _ text: String, x: Double, y: Double, _ anchor: Anchor = .start, style: String = ""
  ) -> HTML {
    .element(
      "text",
      attributes(style, ("x", x), ("y", y)) + [("text-anchor", anchor.rawValue)],
      text)
  }

  static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, style: String) -> HTML {
    .element("line", attributes(style, ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)))
  }

  static func rectangle(
    x: Double, y: Double, width: Double, height: Double, style: String, share: Double? = nil
  ) -> HTML {
    let size = attributes(style, ("x", x), ("y", y), ("width", width), ("height", height))
    guard let share else { return .element("rect", size) }
    return .element("rect", size + [("style", "--share: \(Format.fixed(share, 3))")])
  }

  /// A line through points.
  static func polyline(_ points: [(x: Double, y: Double)], style: String) -> HTML {
    .element("polyline", attributes(style, points: points))
  }

  /// A mark of the `index`-th kind: circle, square, triangle, diamond, inverted triangle, hexagon, bow tie.
  static func mark(_ index: Int, x: Double, y: Double, style: String) -> HTML {
    let corners: [(x: Double, y: Double)] =
      switch index % 7 {
      case 1: [(-3, -3), (3, -3), (3, 3), (-3, 3)]
      case 2: [(0, -4), (4, 3), (-4, 3)]
      case 3: [(0, -4), (4, 0), (0, 4), (-4, 0)]
      case 4: [(0, 4), (4, -3), (-4, -3)]
      case 5: [(-4, 0), (-2, -3.5), (2, -3.5), (4, 0), (2, 3.5), (-2, 3.5)]
      case 6: [(-4, -4), (0, -1.5), (4, -4), (4, 4), (0, 1.5), (-4, 4)]
      default: []
      }
    if corners.isEmpty {
      return .element("circle", attributes(style, ("cx", x), ("cy", y), ("r", 3)))
    }
    let points = corners.map { (x: x + $0.x, y: y + $0.y) }
    return .element("polygon", attributes(style, points: points))
  }

  private static func attributes(
    _ style: String, _ numbers: (StaticString, Double)...
  ) -> [(StaticString, String)] {
    var attributes = numbers.map { ($0.0, number($0.1)) }
    if !style.isEmpty { attributes.append(("class", style)) }
    return attributes
  }

  private static func attributes(
    _ style: String, points: [(x: Double, y: Double)]
  ) -> [(StaticString, String)] {
    let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    return attributes(style) + [("points", path) as (StaticString, String)]
  }

  /// Shapes that tell what they stand for where a pointer rests on them.
  static func group(_ title: String, _ shapes: HTML...) -> HTML {
    .element("g", [], .element("title", [], title.shortened(to: 300)), .joined(shapes))
  }

  /// A coordinate, to a tenth of a unit.
  static func number(_ value: Double) -> String {
    let text = Format.fixed(value, 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// A number along an axis or in a cell: as short as it can be with `digits` significant ones.
  static func label(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "−∞" : "∞" }
    if value == 0 { return "0" }
    guard (1e-300...1e300).contains(value.magnitude) else { return "\(value)" }
    let exponent = Int((Math.logarithm(value.magnitude) / Math.logarithm(10) + 1e-9).rounded(.down))
    if exponent < -3 || exponent > 5 {
      return trimmed(value / Math.power(10, Double(exponent)), digits - 1) + "e\(exponent)"
    }
    return trimmed(value, max(0, digits - 1 - exponent))
  }

  /// A number among others up to `largest`, all with as many digits after the point: enough for `digits` significant ones
  /// of the largest.
  static func label(_ value: Double, upTo largest: Double, digits: Int) -> String {
    let isPlain = value.isFinite && largest >= 1e-3 && largest < 1e5
    guard isPlain && value.magnitude <= largest else { return label(value, digits: digits) }
    let exponent = Int((Math.logarithm(largest) / Math.logarithm(10) + 1e-9).rounded(.down))
    return Format.fixed(value, max(0, digits - 1 - exponent)).replacing("-", with: "−")
  }

  private static func trimmed(_ value: Double, _ digits: Int) -> String {
    var text = Format.fixed(value, digits)
    if text.contains(".") {
      while text.last == "0" { text.removeLast() }
      if text.last == "." { text.removeLast() }
    }
    return text.replacing("-", with: "−")
  }
}

/// A drawing with its caption.
struct Drawing {
  let title: String
  let note: String
  var width = SVG.width
  let height: Double
  let shapes: [HTML]

  /// The figure; one that is wider than usual is scrolled on its own.
  ///
  /// - Parameter summary: what is to be seen, for those who cannot see it.
  func figure(_ summary: String) -> HTML {
    let isWide = width > SVG.width
    var attributes: [(StaticString, String)] = [
      ("viewBox", "0 0 \(SVG.number(width)) \(SVG.number(height))"), ("role", "img"),
      ("aria-label", summary),
    ]
    if isWide { attributes.append(("style", "min-width: \(SVG.number(width))px")) }
    let drawing = HTML.element("svg", attributes, .joined(shapes))
    return .element(
      "figure", [],
      .element("figcaption", [], .element("b", [], title), .text(note)),
      isWide ? .element("div", [("class", "scroll"), ("tabindex", "0")], drawing) : drawing)
  }
}

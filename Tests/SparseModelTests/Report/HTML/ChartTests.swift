import TestSupport
import Testing

@testable import SparseModel

/// Charts of values that have broken charts before: none, one, equal ones, no numbers, far too large and far too small ones.
@Suite struct ChartTests {
  static let data: [[Double]] = [
    [], [0], [1], [-1], [0.3, 0.3, 0.3], [.nan], [.infinity, -.infinity, .nan], [1, .nan, 3],
    [1e-300, 1e300], [-1e300, 1e300], [.leastNonzeroMagnitude, .greatestFiniteMagnitude],
    [1e-12, 1, 1e12], [-2, -1, 0, 1, 2], [100.00000001, 100.00000002],
    (0..<400).map { Double($0 * 37 % 101) / 101 },
  ]

  @Test(arguments: data, [false, true]) func barsKeepWithinTheirChart(values: [Double], isLog: Bool)
    throws
  {
    let html = BarChart(
      "bars", note: "note", axis: "unit",
      groups: [
        (
          "first",
          values.prefix(3).map { BarChart.Bar(label: "<b>\($0)", value: $0, title: "t\($0)") }
        ),
        ("rest", values.dropFirst(3).map { BarChart.Bar(label: "重み\($0)", value: $0, title: "&") }),
      ], isLogarithmic: isLog
    ).html
    try check(html, marks: values.count, noValues: values.isEmpty)
  }

  @Test(arguments: data, [false, true]) func linesKeepWithinTheirChart(
    values: [Double], isLog: Bool
  ) throws {
    let points = values.enumerated().map { (x: Double($0), y: $1) }
    let html = LineChart(
      "lines", x: "x", y: "y", series: [.init("a<", points), .init("b", points.reversed())],
      reference: 1, isLogarithmicInX: isLog, isLogarithmicInY: isLog
    ).html
    try check(html, marks: nil, noValues: values.isEmpty)
    // Every value that has a place has a mark that says it.
    let shown = points.filter {
      $0.y.magnitude <= 1e300 && (!isLog || ($0.x > 0 && $0.y >= 1e-300))
    }
    #expect(try Markup(html.markup).elements.count { $0 == "title" } == 2 * shown.count)
  }

  @Test(arguments: data, [false, true]) func cellsKeepWithinTheirMap(values: [Double], isLog: Bool)
    throws
  {
    let html = HeatMap(
      "map", rowTitle: "row", unit: "u", rows: values.indices.map { "r\($0)" },
      columns: ["a", "missing", "<i>"],
      cells: values.map { [(value: $0, title: "t"), nil, (value: $0, title: "\"")] },
      isLogarithmic: isLog
    ).html
    try check(html, marks: values.isEmpty ? 0 : 2 * values.count + 3, noValues: values.isEmpty)
  }

  @Test func aWideMapIsScrolledAndNotSqueezed() throws {
    let columns = (0..<200).map { "experts.\($0).w1" }
    let html = HeatMap(
      "map", rowTitle: "row", unit: "u", rows: ["0"], columns: columns,
      cells: [columns.map { (value: Double($0.count), title: $0) }]
    ).html
    #expect(html.markup.contains("class=\"scroll\"") && html.markup.contains("min-width: 52"))
    try check(html, marks: 400, noValues: false)
  }

  /// A well-formed figure with a name, nothing that is no number among its coordinates, and `marks` titles.
  private func check(_ html: HTML, marks: Int?, noValues: Bool) throws {
    let markup = try Markup(html.markup)
    #expect(markup.elements.prefix(3) == ["figure", "figcaption", "b"])
    #expect(html.markup.contains("role=\"img\" aria-label=\""))
    #expect(markup.text.contains("no values") == noValues)
    if let marks { #expect(markup.elements.count { $0 == "title" } == marks) }
    for attribute in [
      "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "points", "viewBox",
    ] {
      for value in values(of: attribute, in: html.markup) {
        let numbers = value.split { $0 == " " || $0 == "," }.map { Double($0) }
        #expect(
          numbers.allSatisfy { $0.map { $0.isFinite && $0 > -10 && $0 < 10_000 } ?? false },
          "\(attribute)=\(value)")
      }
    }
  }

  private func values(of attribute: String, in markup: String) -> [Substring] {
    markup.split(separator: " \(attribute)=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
  }
}

@Suite struct ChartScaleTests {
  @Test(
    arguments: [
      ([0, 1], [0, 0.2, 0.4, 0.6, 0.8, 1]), ([0.1, 0.3], [0.1, 0.15, 0.2, 0.25, 0.3]),
      ([0, 87.3], [0, 20, 40, 60, 80, 100]), ([], [0, 0.2, 0.4, 0.6, 0.8, 1]), ([3], [0, 2, 4, 6]),
      ([-0.7, 0.7], [-1, -0.5, 0, 0.5, 1]),
    ] as [([Double], [Double])])
  func linearTicksAreRound(values: [Double], ticks: [Double]) {
    #expect(ChartScale(values).ticks == ticks)
  }

  @Test(
    arguments: [
      ([1, 10], [1, 2, 5, 10]), ([3, 4], [2, 5]), ([7], [5, 10]), ([], [1, 2, 5, 10]),
      ([1e-4, 1e4], [1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000, 10000]),
      ([-1, 0, 2, 20], [2, 5, 10, 20]),
    ] as [([Double], [Double])])
  func logarithmicTicksAreRound(values: [Double], ticks: [Double]) {
    #expect(ChartScale(values, .logarithmic).ticks == ticks)
  }

  @Test func fewValuesAreTicksThemselves() {
    let batches = [1.0, 16, 128, 128]
    let scale = ChartScale(batches, .logarithmic).ticking(at: batches)
    #expect(scale.ticks == [1, 16, 128])
    #expect(scale.position(1) == 0 && scale.position(128) == 1)
  }

  @Test(arguments: ChartTests.data, [ChartScale.Kind.linear, .logarithmic])
  func placesAreWithinTheEnds(values: [Double], kind: ChartScale.Kind) {
    let scale = ChartScale(values, kind)
    #expect((2...15).contains(scale.ticks.count) && scale.ticks == scale.ticks.sorted())
    for value in values {
      if let place = scale.position(value) {
        #expect(place >= 0 && place <= 1)
      } else {
        #expect(!(value.magnitude <= 1e300) || kind == .logarithmic && !(value >= 1e-300))
      }
    }
  }

  @Test(
    arguments: [
      (0, "0"), (1, "1"), (0.25, "0.25"), (0.1234, "0.123"), (-1.5, "−1.5"), (1234.56, "1235"),
      (2e-7, "2e-7"), (1.5e9, "1.5e9"), (.nan, "NaN"), (.infinity, "∞"), (-.infinity, "−∞"),
    ] as [(Double, String)])
  func labelsAreShort(value: Double, label: String) {
    #expect(SVG.label(value) == label)
  }
}

@Suite struct LayerGridTests {
  @Test func layersStandByBlockAndKind() {
    let names = ["q", "o"].flatMap { kind in
      [2, 0, 10].map { "model.layers.\($0).self_attn.\(kind)_proj.weight" }
    }
    let grid = LayerGrid(names)
    #expect(grid.blocks == [0, 2, 10] && grid.labels == ["q", "o"])
    #expect(grid.map { $0 } == [[1, 4], [0, 3], [2, 5]])
  }

  @Test(arguments: HostileText.all) func anyNameHasAPlace(name: String) {
    let grid = LayerGrid([
      name, "model.layers.7.mlp.up_proj.weight", "99999999999999999999.x", name,
    ])
    #expect(grid.map { $0 }.joined().compactMap(\.self).contains(0))
  }

  @Test func labelsThatWouldBeAlikeStayLong() {
    let grid = LayerGrid(["h.0.attn.c_proj.weight", "h.0.mlp.c_proj.weight"])
    #expect(grid.labels == ["attn.c_proj", "mlp.c_proj"])
  }
}

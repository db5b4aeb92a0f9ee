internal import SparseCore

extension SweepReport: Reportable {
  /// The sweep as a page: which rows are worth a look, accuracy against size, and all numbers.
  package func page(_ origin: ReportOrigin) -> HTMLPage {
    HTMLPage(
      title: "\(origin.modelName): accuracy against size", lead: lead, origin: origin,
      .keyNumbers(keyNumbers), chartSection, tableSection, settingSection(origin),
      .section(
        "How to get this again", .command(origin.command), .definitions(origin.definitions),
        .note(
          "Same input, options, version and kernel set give the same models and predictions; times and speeds are this machine's."
        )))
  }

  /// The rows that no other beats, the smallest first; of equal ones the first.
  private var front: [SweepRow] {
    var seen: Set<Int> = []
    return rows.filter(isBest).sorted { $0.bytes < $1.bytes }.filter {
      seen.insert($0.bytes).inserted
    }
  }

  private var smallest: SweepRow? { front.first { !$0.variant.isInput } }

  /// The pruned row that is closest to the dense model.
  private var closest: SweepRow? {
    rows.filter { $0.variant.method != nil }
      .min { $0.comparison.divergence.mean < $1.comparison.divergence.mean }
  }

  // MARK: In words

  private var lead: String {
    guard let dense = rows.first, let smallest else {
      return "Nothing but the dense model was measured."
    }
    let names = front.filter { !$0.variant.isInput }.reversed().map(\.variant.name)
    var text =
      "Of \(rows.count.counting("row")) these are beaten by none in both size and closeness to the dense model: \(names.joined(separator: ", "))."
    text +=
      " The smallest of them, \(smallest.variant.name), has \(Format.times(compressionRatio(of: smallest)).dropLast()) times fewer bytes"
    text +=
      " and a perplexity of \(Format.fixed(smallest.perplexity, 2)), where the dense model has \(Format.fixed(dense.perplexity, 2))."
    return text
  }

  private var keyNumbers: [(value: String, meaning: String)] {
    var numbers: [(value: String, meaning: String)] = []
    if let dense = rows.first {
      numbers.append(
        (
          Format.fixed(dense.perplexity, 2),
          "perplexity of the dense model, \(Format.decimalBytes(dense.bytes))"
        ))
    }
    if let smallest {
      numbers.append(
        (
          Format.times(compressionRatio(of: smallest)),
          "smaller as \(smallest.variant.name), \(Format.decimalBytes(smallest.bytes))"
        ))
    }
    if let closest {
      numbers.append(
        (
          Format.fixed(closest.perplexity, 2),
          "perplexity of \(closest.variant.name), of the pruned ones the closest to dense"
        ))
      numbers.append(
        (
          Format.percent(closest.comparison.agreement, digits: 1),
          "of its most likely tokens are the dense model's"
        ))
    }
    numbers.append(
      (Format.duration(seconds), "in all, in at most \(Format.bytes(peakResidentBytes)) of memory"))
    return numbers
  }

  // MARK: Charts

  private var chartSection: HTML {
    guard !rows.isEmpty else { return .empty }
    return .section(
      "Accuracy against size",
      .charts([
        scatter,
        .column([
          bars(
            "Perplexity", note: "On the held-out text; lower is better.", axis: "perplexity",
            value: \.perplexity, text: { Format.fixed($0.perplexity, 2) }),
          bars(
            "Size", note: "All tensors, 2:4 weights as kept values and masks.",
            axis: "10⁶ bytes", value: \.megabytes, text: { Format.decimalBytes($0.bytes) }),
        ]),
      ]), .note("★: no other row is as small and as close to dense, and better in one of the two."))
  }

  /// A line for each method, from its smallest row to its largest, and one through the rows that no other beats.
  private var scatter: HTML {
    var seen: Set<String> = []
    let methods = rows.map(\.method).filter { seen.insert($0).inserted }.prefix(6)
    func series(_ name: String, _ rows: [SweepRow]) -> LineChart.Series {
      LineChart.Series(
        name,
        rows.sorted { $0.bytes < $1.bytes }.map {
          (x: $0.megabytes, y: $0.comparison.divergence.mean)
        })
    }
    return LineChart(
      "Divergence by size",
      note:
        "Down and to the left is better. A method's points are its number formats, INT8 the smaller; the dense model itself has no divergence and no point.",
      x: "10⁶ bytes", y: "KL divergence, nats a token",
      series: methods.map { method in series(method, rows.filter { $0.method == method }) }
        + [series("★ beaten by none", front)],
      isLogarithmicInY: true
    ).html
  }

  private func bars(
    _ title: String, note: String, axis: String, value: (SweepRow) -> Double,
    text: (SweepRow) -> String
  ) -> HTML {
    BarChart(
      title, note: note, axis: axis,
      bars: rows.map { row in
        BarChart.Bar(
          label: (isBest(row) ? "★ " : "") + row.variant.name, value: value(row), text: text(row),
          title: "\(row.variant.name): \(text(row))")
      }
    ).html
  }

  // MARK: Numbers

  private var tableSection: HTML {
    var table = HTMLTable([
      .words(""), .words("model"), .numbers("perplexity"), .numbers("KL, nats a token"),
      .numbers("±"), .numbers("agreement"), .numbers("relative error"), .numbers("size"),
      .numbers("ratio"), .numbers("time"), .numbers("tokens a second"),
    ])
    for row in rows {
      let divergence = row.comparison.divergence
      table.append([
        isBest(row) ? "★" : "", row.variant.name, Format.fixed(row.perplexity, 3),
        Format.fixed(divergence.mean, 5), Format.fixed(divergence.standardError, 5),
        Format.percent(row.comparison.agreement, digits: 1),
        row.relativeError.map { Format.fixed($0, 4) } ?? "–", Format.decimalBytes(row.bytes),
        Format.times(compressionRatio(of: row)),
        row.variant.isInput ? "–" : Format.duration(row.seconds), row.decodeRate.text,
      ])
    }
    return .section(
      "All numbers", table.html,
      .note(
        "KL: of the next token's distribution from the dense model's, with its standard error. Agreement: most likely tokens that are the dense model's. Relative error: of the linears' outputs on the calibration, the root of the geometric mean over stages of its square. Time: of pruning or quantizing. Tokens a second: one sequence, on this machine, the median of several rounds with the slowest and the fastest."
      ))
  }

  private func settingSection(_ origin: ReportOrigin) -> HTML {
    var entries = [(term: "model", text: origin.model)]
    if let text = rows.first?.comparison.reference {
      entries.append(
        (
          "text",
          "\(text.windows.counting("window")) of \(text.length.counting("token")), \(text.startText)"
        ))
    }
    if let activations = rows.last?.comparison.other.activations {
      entries.append(("activations before INT8 weights", activations.rawValue))
    }
    if let calibration {
      entries.append(
        (
          "calibration",
          "\(calibration.source), \(calibration.samples) × \(calibration.length) tokens, seed \(calibration.seed), shared by all methods"
        ))
    }
    if let output = rows.compactMap(\.output).first {
      entries.append(("models", Path.folder(of: output)))
    }
    return .section("Settings", .definitions(entries))
  }
}

extension SweepRow {
  fileprivate var perplexity: Double { comparison.other.perplexity }
  fileprivate var megabytes: Double { Double(bytes) / 1e6 }
  fileprivate var method: String { variant.method?.rawValue ?? "dense" }
}

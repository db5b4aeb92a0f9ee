internal import SparseCore

extension SensitivityReport: Reportable {
  /// The measurement as a page: which parts suffer most, how uneven it is, where they are, and how to choose by it.
  package func page(_ origin: ReportOrigin) -> HTMLPage {
    HTMLPage(
      title:
        "\(origin.modelName): which \(unit.rawValue)s suffer most from \(prunes ? "2:4" : "INT8")?",
      lead: lead, origin: origin, .keyNumbers(keyNumbers), chartSection, tableSection,
      choiceSection(origin), settingSection(origin), originSection(origin))
  }

  private var prunes: Bool { method != "none" }

  /// What was done to each part.
  private var change: String {
    guard prunes else { return "made INT8" }
    return "pruned by \(method)" + (isQuantized ? " and made INT8" : "")
  }

  // MARK: In words

  private var lead: String {
    guard let worst = ranked.first else { return "There was nothing to measure." }
    var text =
      "The most sensitive of \(parts.count.counting(unit.rawValue)) is \(worst.name.shortened(to: 200)): \(change) while all others stay dense, it "
    if let divergence = worst.divergence {
      text += "moves the model's predictions by \(SVG.label(divergence)) nats a token"
      if let dense, let perplexity = perplexity(worst) {
        text +=
          ", and perplexity from \(Format.fixed(dense.perplexity, 2)) to \(Format.fixed(perplexity, 2))"
      }
      text += "."
    } else {
      text +=
        "moves the residual stream after its block by \(Format.percent(worst.blockError, digits: 1))."
    }
    if let tenth = worstTenth {
      text +=
        " The worst tenth, \(tenth.count) of them, \(tenth.count == 1 ? "holds" : "hold") \(Format.percent(tenth.score)) of \(summed), with \(Format.percent(tenth.weights)) of the weights."
    }
    return text
  }

  /// What the shares of the worst parts are shares of.
  private var summed: String {
    isFast ? "the summed squares of the block errors" : "the summed divergence"
  }

  /// The tenth of the parts, rounded up, that is most sensitive, and its shares of all; nil where there are no shares.
  private var worstTenth: (count: Int, score: Double, weights: Double)? {
    let count = (parts.count + 9) / 10
    let worst = ranked.prefix(count)
    func sum(_ parts: some Sequence<Sensitivity>, _ value: (Sensitivity) -> Double) -> Double {
      parts.reduce(0) { $0 + value($1) }
    }
    let all = sum(parts, \.score)
    let weights = sum(parts) { Double($0.weights) }
    guard parts.count > 1, all > 0, all.isFinite, weights > 0 else { return nil }
    return (count, sum(worst, \.score) / all, sum(worst) { Double($0.weights) } / weights)
  }

  private var keyNumbers: [(value: String, meaning: String)] {
    var numbers: [(value: String, meaning: String)] = []
    let ranked = ranked
    if let worst = ranked.first {
      numbers.append((SVG.label(worst.measure), "\(measureName) of the most sensitive"))
      if parts.count > 2 {
        numbers.append(
          (SVG.label(ranked[ranked.count / 2].measure), "that of the one in the middle"))
      }
      if let dense, let perplexity = perplexity(worst) {
        numbers.append(
          (
            "\(Format.fixed(dense.perplexity, 2)) → \(Format.fixed(perplexity, 2))",
            "perplexity dense, and with the most sensitive changed"
          ))
      }
    }
    if let tenth = worstTenth {
      numbers.append(
        (
          Format.percent(tenth.score),
          "of \(summed) is in the worst \(tenth.count) of \(parts.count)"
        )
      )
    }
    numbers.append(
      (
        Format.duration(seconds),
        "of measuring in at most \(Format.bytes(peakResidentBytes)) of memory"
      ))
    return numbers
  }

  // MARK: Charts

  private var measureName: String {
    isFast ? "relative error of the block" : "KL divergence, nats a token,"
  }

  /// The measure and its unit along an axis.
  private var axis: String {
    isFast ? "relative error of the block's output" : "KL divergence, nats a token"
  }

  /// What is measured, for those who have not read how.
  private var explanation: String {
    isFast
      ? "How far the residual stream after the block is off, relative, a mean over the text's tokens."
      : "How far the next token's distribution is from the dense model's, a mean over the text."
  }

  private var chartSection: HTML {
    guard !parts.isEmpty else { return .empty }
    let grid = LayerGrid(parts.map { $0.place(by: unit) })
    let worst = ranked.prefix(20)
    let bars = BarChart(
      parts.count > worst.count
        ? "The \(worst.count) most sensitive" : "From the most sensitive on",
      note: explanation, axis: axis,
      bars: worst.map { part in
        BarChart.Bar(
          label: label(part, grid), value: part.measure, text: SVG.label(part.measure),
          title: "\(part.name): \(SVG.label(part.measure, digits: 4))")
      }
    ).html
    var charts = [bars]
    if grid.blocks.count > 1 { charts = [.column([bars, lines(grid)])] }
    if unit != .block && parts.count > 1 { charts.insert(map(grid), at: 0) }
    return .section("Where it hurts", .charts(charts))
  }

  private func map(_ grid: LayerGrid) -> HTML {
    HeatMap(
      "Sensitivity by block and \(unit.rawValue)", note: "Equal ratios differ equally in colour.",
      rowTitle: "block", unit: axis, rows: grid.blocks.map { $0.map(String.init) ?? "–" },
      columns: grid.labels,
      cells: grid.map { index in
        (
          value: parts[index].measure,
          title: "\(parts[index].name): \(SVG.label(parts[index].measure, digits: 4))"
        )
      }, isLogarithmic: true
    ).html
  }

  /// A line for each kind of part; where there are more than can be told apart, for those with the worst parts.
  private func lines(_ grid: LayerGrid) -> HTML {
    let most = 7
    var chosen: [String] = []
    for part in ranked where chosen.count < most {
      let kind = LayerGrid.Place(of: part.place(by: unit)).kind
      if !chosen.contains(kind) { chosen.append(kind) }
    }
    let values = grid.map { parts[$0].measure }
    let shown = grid.kinds.indices.filter { chosen.contains(grid.kinds[$0]) }
    return LineChart(
      "Sensitivity along the model",
      note: grid.kinds.count > most
        ? "The \(most) of \(grid.kinds.count) kinds with the most sensitive \(unit.rawValue)s."
        : "",
      x: "block", y: axis,
      series: shown.map { kind in
        LineChart.Series(
          unit == .block ? "whole block" : grid.labels[kind],
          zip(grid.blocks, values).compactMap { block, row in
            guard let block, let value = row[kind] else { return nil }
            return (x: Double(block), y: value)
          })
      }, isLogarithmicInY: true
    ).html
  }

  private func label(_ part: Sensitivity, _ grid: LayerGrid) -> String {
    let place = LayerGrid.Place(of: part.place(by: unit))
    if unit == .block { return "block \(part.block)" }
    return (place.block.map { "\($0) " } ?? "") + grid.label(of: place)
  }

  // MARK: Numbers

  private var tableSection: HTML {
    var table = HTMLTable(
      [
        .names(unit.rawValue), .numbers("weights"), .numbers("relative error"),
        .numbers("block error"),
      ] + (isFast ? [] : [.numbers("KL, nats a token"), .numbers("perplexity")]))
    for part in ranked {
      var cells = [
        part.name, Format.grouped(part.weights), Format.fixed(part.relativeError, 4),
        Format.fixed(part.blockError, 5),
      ]
      if !isFast {
        cells += [
          part.divergence.map { SVG.label($0, digits: 4) } ?? "–",
          perplexity(part).map { Format.fixed($0, 3) } ?? "–",
        ]
      }
      table.append(cells)
    }
    var notes = "Relative error: of the outputs, on the calibration inputs. Block error: "
    notes += "of the residual stream after the block, a mean over the tokens of the text."
    if let dense {
      notes +=
        " Perplexity: what the dense model's \(Format.fixed(dense.perplexity, 3)) becomes, by the loss of every second token."
    }
    return .section(
      "All numbers",
      .details("All \(parts.count.counting(unit.rawValue)), the most sensitive first", table.html),
      .note(notes))
  }

  // MARK: What to do with it

  private func choiceSection(_ origin: ReportOrigin) -> HTML {
    guard prunes else { return .empty }
    var words = [Tool.name, "prune", origin.model, "--method", method]
    if isQuantized { words += ["--quantize", "int8"] }
    words += ["--keep-dense", "10%", "--sensitivity", "sensitivity.json"]
    return .section(
      "How to choose by it",
      .paragraph(
        "This leaves at most a tenth of the weights dense, those with the most sensitivity for their size first, and prunes the rest."
      ), .command(words),
      .note(
        "sensitivity.json stands for the file that -o or --report FILE.json of the command at the end writes. --keep-dense also takes a number of \(unit.rawValue)s, or above: and a sensitivity. Costs measured one at a time need not add up: measure the pruned model, too."
      ))
  }

  private func settingSection(_ origin: ReportOrigin) -> HTML {
    var entries: [(term: String, text: String)] = [
      ("model", origin.model), ("each", "\(change), all others dense"),
      ("changed together", unit.explanation),
      (
        "ranked by",
        isFast ? "the error at the end of the block (--fast)" : "KL divergence of the predictions"
      ),
      ("text", "\(heldOut), \(heldOutSize.windows) × \(heldOutSize.length) tokens"),
    ]
    if let calibration {
      entries.append(
        (
          "calibration",
          "\(calibration.source), \(calibration.samples) × \(calibration.length) tokens, seed \(calibration.seed)"
        ))
    }
    return .section("Settings", .definitions(entries))
  }

  private func originSection(_ origin: ReportOrigin) -> HTML {
    var entries = origin.definitions
    if let calibration {
      entries.append(("calibration tokens", "fingerprint \(calibration.fingerprint)"))
    }
    return .section(
      "How to get this again", .command(origin.command), .definitions(entries),
      .note(
        "Same input, options, version and kernel set give the same numbers, for any number of threads."
      ))
  }
}

extension SensitivityUnit {
  fileprivate var explanation: String {
    switch self {
    case .block: "all linears of a block"
    case .stage: "the linears of a block that read the same input"
    case .linear: "one linear"
    }
  }
}

extension Sensitivity {
  /// What charts show: the divergence, else the error at the end of the block.
  fileprivate var measure: Double { divergence ?? blockError }

  /// A name that says the place in the model as those of weights do.
  fileprivate func place(by unit: SensitivityUnit) -> String {
    switch unit {
    case .linear: name
    case .stage: "\(block).\(name.split(separator: ", ").dropFirst().joined(separator: ", "))"
    case .block: "\(block).block"
    }
  }
}

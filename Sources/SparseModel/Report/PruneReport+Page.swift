internal import SparseCore

extension PruneReport: Reportable {
  /// The run as a page: what it has cost, what went otherwise than asked, where the error is, what it weighs, and how to
  /// get it again.
  package func page(_ origin: ReportOrigin) -> HTMLPage {
    HTMLPage(
      title: "\(origin.modelName), 2:4 sparse by \(method)", lead: lead(origin), origin: origin,
      .keyNumbers(keyNumbers), fallbackNotice, perplexitySection, trainingSection, errorSection,
      patternSection, sizeSection, layerSection, settingSection(origin),
      originSection(origin))
  }

  private func lead(_ origin: ReportOrigin) -> String {
    var text =
      "\(sparseLayers.count.counting("weight")) of \(origin.modelName) are 2:4 sparse now: of every four neighbouring values two are zero."
    if sparseLayers.count < layers.count {
      text +=
        " \((layers.count - sparseLayers.count).counting("weight")) stayed dense and are INT8."
    }
    if isTrained { text += " What is kept of them was trained." }
    if let perplexity {
      let (before, after) = (perplexity.before.perplexity, perplexity.after.perplexity)
      text +=
        " Perplexity went from \(Format.fixed(before, 2)) to \(Format.fixed(after, 2)), \(Format.times(after / before)) what it was."
    } else {
      text += " Its perplexity was not measured; --text FILE does that."
    }
    return text
  }

  private var keyNumbers: [(value: String, meaning: String)] {
    let weights = sparseLayers.reduce(0.0) { $0 + Double($1.weights) }
    let zeros = sparseLayers.reduce(0.0) { $0 + $1.sparsity * Double($1.weights) }
    var numbers: [(value: String, meaning: String)] = []
    if let perplexity {
      let (before, after) = (perplexity.before.perplexity, perplexity.after.perplexity)
      numbers.append(
        ("\(Format.fixed(before, 2)) → \(Format.fixed(after, 2))", "perplexity before and after"))
    }
    numbers.append(
      (
        Format.percent(zeros / max(1, weights), digits: 1),
        "of \(SVG.label(weights / 1e6)) million pruned values are zero"
      ))
    if let error = meanSquaredRelativeError {
      numbers.append(
        (
          Format.percent(error.squareRoot(), digits: 1),
          "relative output error (geometric mean over stages\(beforeTraining))"
        ))
    }
    if let sizes {
      numbers.append(
        (
          Format.decimalBytes(sizes.compressed),
          "kept as values and metadata; the input has \(Format.decimalBytes(sizes.input))"
        ))
    }
    numbers.append(
      (
        Format.duration(seconds),
        "of pruning\(isTrained ? " and training" : "") in at most \(Format.bytes(peakResidentBytes)) of memory"
      ))
    return numbers
  }

  /// The layers on which another method stood in, and those whose gram needed more on its diagonal than usual.
  private var fallbackNotice: HTML {
    let fallen = layers.filter { $0.fallback != nil }
    let usual = DampenedGram.dampenings[0]
    let dampened = layers.filter { $0.fallback == nil && ($0.dampening ?? 0) > usual }
    var notices: [HTML] = []
    if !fallen.isEmpty {
      var table = HTMLTable([.names("weight"), .words("pruned by")])
      for layer in fallen { table.append([layer.name, layer.fallback?.rawValue ?? ""]) }
      notices.append(
        .notice(
          "\(method) could not work on \(fallen.count.counting("weight")) of \(layers.count)",
          .paragraph(
            "The gram of their inputs is not positive definite, whatever is added to its diagonal: another method stood in."
          ), table.html))
    }
    if !dampened.isEmpty {
      var table = HTMLTable([.names("weight"), .numbers("dampening")])
      for layer in dampened { table.append([layer.name, SVG.label(layer.dampening ?? 0)]) }
      notices.append(
        .notice(
          "\(dampened.count.counting("weight")) needed more dampening",
          .paragraph(
            "More than the usual \(usual) of its mean was added to the diagonal of their inputs' gram, which could not be factored otherwise."
          ), table.html))
    }
    return .joined(notices)
  }

  private var perplexitySection: HTML {
    guard let perplexity else { return .empty }
    let results = [("before", perplexity.before), ("after", perplexity.after)]
    var table = HTMLTable([
      .words(""), .numbers("perplexity"), .numbers("nll, nats a token"), .numbers("windows"),
      .numbers("tokens each"),
    ])
    for (name, result) in results {
      table.append([
        name, Format.fixed(result.perplexity, 3),
        Format.fixed(result.meanNegativeLogLikelihood, 4), "\(result.windows)", "\(result.length)",
      ])
    }
    return .section(
      "Perplexity",
      .charts([
        BarChart(
          "Perplexity before and after", note: "Lower is better.", axis: "perplexity",
          bars: results.map { name, result in
            BarChart.Bar(
              label: name, value: result.perplexity, text: Format.fixed(result.perplexity, 2),
              title: "\(name): \(Format.fixed(result.perplexity, 3))")
          }
        ).html,
        table.html,
      ]),
      .note(
        "On \(perplexity.text.shortened(to: 200)): windows with \(perplexity.before.protocolText). Other protocols give other numbers."
      ))
  }

  private func settingSection(_ origin: ReportOrigin) -> HTML {
    var entries: [(term: String, text: String)] = [
      ("model", origin.model), ("output", output), ("method", method),
    ]
    if options.method.searches || options.dense != nil {
      entries.append(("effort", options.effort.rawValue))
    }
    if let dense = options.dense { entries.append(("dense original", dense)) }
    let gains = layers.compactMap(\.permutationGain)
    if !gains.isEmpty {
      entries.append(("channel order", "changed for \(gains.count) of \(layers.count) weights"))
    }
    if let quantization = options.quantization {
      let scales = quantization.groupSize.map { "a scale for every \($0) inputs" }
      entries.append(
        (
          "INT8",
          "\(isTrained ? "after training" : quantization.order.rawValue), \(scales ?? "a scale for each output channel")"
        ))
    }
    if let smoothing = options.smoothing { entries.append(("SmoothQuant α", "\(smoothing)")) }
    if let (calibration, errorTokens) = calibration {
      entries.append(
        (
          "calibration",
          "\(calibration.source), \(calibration.samples) × \(calibration.length) tokens, seed \(calibration.seed)"
        ))
      if errorTokens > 0 {
        entries.append(("errors measured on", errorTokens.counting("token")))
      }
    }
    if !options.keptDense.isEmpty {
      entries.append(("kept dense", options.keptDense.joined(separator: ", ").shortened(to: 2000)))
    }
    for (term, globs) in [
      ("only", options.selection.only), ("left out", options.selection.skip),
    ] where !globs.isEmpty {
      entries.append((term, globs.joined(separator: ", ")))
    }
    return .section("Settings", .definitions(entries))
  }

  private func originSection(_ origin: ReportOrigin) -> HTML {
    var entries = origin.definitions
    if let inputFingerprint { entries.append(("input", "fingerprint \(inputFingerprint)")) }
    if let calibration = calibration?.0 {
      entries.append(("calibration tokens", "fingerprint \(calibration.fingerprint)"))
    }
    return .section(
      "How to get this again", .command(origin.command), .definitions(entries),
      .note(
        "Same input, options, version and kernel set give the same bytes, for any number of threads."
      ))
  }
}

extension PruneReport {
  /// The layers that are 2:4 now.
  var sparseLayers: [LayerReport] { layers.filter { !$0.isDense } }
}

extension LayerReport {
  /// The number of values.
  var weights: Int { shape.reduce(1, *) }
}

extension ReportOrigin {
  /// What computed it, for a definition list.
  var definitions: [(term: String, text: String)] {
    [("version", "\(Tool.name) \(version)"), ("kernel set", kernels)]
  }
}

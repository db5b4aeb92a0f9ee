internal import SparseCore

/// The parts of a page that go through the layers one by one.
extension PruneReport {
  /// Where the outputs are wrong: by layer, and by stage along the model; before training, if there was any.
  var errorSection: HTML {
    let measured = layers.filter { $0.relativeError != nil }
    guard !measured.isEmpty else { return .empty }
    let grid = LayerGrid(measured.map(\.name))
    let map = HeatMap(
      "Relative output error by layer" + beforeTraining,
      note: "‖X(W−W′)ᵀ‖ / ‖XWᵀ‖ on the layer's own inputs, in the model as pruned so far.",
      rowTitle: "block", unit: "relative error",
      rows: grid.blocks.map { $0.map(String.init) ?? "–" }, columns: grid.labels,
      cells: grid.map { index in
        let layer = measured[index]
        return layer.relativeError.map { error in
          (value: error, title: "\(layer.name): \(SVG.label(error, digits: 4))")
        }
      })
    let worst = measured.sorted { ($0.relativeError ?? 0) > ($1.relativeError ?? 0) }.prefix(12)
    return .section(
      isTrained ? "Where the error was before training" : "Where the error is",
      .charts([
        map.html,
        .column([
          stageChart,
          BarChart(
            "The largest errors" + beforeTraining, note: "By block and layer.",
            axis: "relative output error",
            bars: worst.map { layer in
              let error = layer.relativeError ?? 0
              let place = LayerGrid.Place(of: layer.name)
              let number = place.block.map { "\($0) " } ?? ""
              return BarChart.Bar(
                label: number + grid.label(of: place), value: error,
                title: "\(layer.name): \(SVG.label(error, digits: 4))")
            }
          ).html,
        ]),
      ]))
  }

  /// Says of errors that they are not the trained model's; empty where nothing was trained.
  var beforeTraining: String { isTrained ? ", before training" : "" }

  private var stageChart: HTML {
    let errors = stages
    var seen: Set<String> = []
    let names = errors.map(\.stage).filter { seen.insert($0).inserted }
    return LineChart(
      "Relative output error along the model" + beforeTraining,
      note: "All layers of a stage together, which read the same input.", x: "block",
      y: "relative output error",
      series: names.prefix(7).map { name in
        LineChart.Series(
          name,
          errors.filter { $0.stage == name }.map {
            (x: Double($0.block), y: $0.squaredRelativeError.squareRoot())
          })
      }
    ).html
  }

  /// How often each pair of places was kept.
  var patternSection: HTML {
    let counts = Pattern24.allCases.indices.map { index in
      sparseLayers.reduce(0.0) { sum, layer in
        sum + (layer.patterns.indices.contains(index) ? Double(layer.patterns[index]) : 0)
      }
    }
    let all = counts.reduce(0, +)
    guard all > 0 else { return .empty }
    let groups = sparseLayers.reduce(0.0) { $0 + Double($1.weights / 4) }
    let bars = zip(Pattern24.allCases, counts).map { pattern, count in
      BarChart.Bar(
        label: pattern.picture, value: 100 * count / all,
        text: Format.percent(count / all, digits: 1),
        title:
          "places \(pattern.kept.0 + 1) and \(pattern.kept.1 + 1) of four kept: \(SVG.label(count, digits: 9)) groups"
      )
    }
    return .section(
      "Patterns",
      .charts([
        BarChart(
          "Which two of four are kept",
          note: "By chance each of the six would have 16.7 % of the groups.",
          axis: "% of groups with two non-zeros", bars: bars
        ).html,
        .note(
          groups > all
            ? "\(Format.grouped(Int(groups - all))) of \(Format.grouped(Int(groups))) groups have fewer than two non-zeros, and are not counted."
            : "All \(Format.grouped(Int(groups))) groups have exactly two non-zeros."),
      ]))
  }

  /// What the tensors weigh, as they are and as they could be kept.
  var sizeSection: HTML {
    guard let sizes else { return .empty }
    var table = HTMLTable([
      .words(""), .numbers("pruned"), .numbers("other"), .numbers("all"),
      .numbers("of input"),
    ])
    let rows = [
      ("input", sizes.prunedInput, sizes.input),
      ("output with its zeros", sizes.prunedOutput, sizes.output),
      ("2:4 compressed", sizes.values + sizes.metadata, sizes.compressed),
    ]
    for (name, pruned, all) in rows {
      table.append([
        name, Format.decimalBytes(pruned), Format.decimalBytes(all - pruned),
        Format.decimalBytes(all), Format.percent(Double(all) / Double(max(1, sizes.input))),
      ])
    }
    let chart = BarChart(
      "Bytes of all tensors", axis: "10⁶ bytes",
      bars: rows.map { name, _, all in
        BarChart.Bar(
          label: name, value: Double(all) / 1e6, text: Format.decimalBytes(all),
          title: "\(name): \(Format.grouped(all)) bytes")
      })
    return .section(
      "Size", .charts([chart.html, table.html]),
      .note(
        "Computed from the shapes. Compressed means the kept half of the values, \(Format.decimalBytes(sizes.values)), and \(Format.decimalBytes(sizes.metadata)) of metadata: an eighth of a byte for each weight says which half that is. 'sparsify compress' and 'sparsify export' write such files; the output itself keeps its zeros, so that any program opens it."
      ))
  }

  /// Everything that is known of every layer.
  var layerSection: HTML {
    var table = HTMLTable([
      .names("weight"), .numbers("shape"), .numbers("zeros"),
      .numbers("relative error" + beforeTraining),
      .numbers("dampening"), .numbers("gain by order"), .words("fallback"), .numbers("time"),
    ])
    for layer in layers {
      table.append([
        layer.name, Format.shape(layer.shape), Format.percent(layer.sparsity, digits: 1),
        layer.relativeError.map { Format.fixed($0, 4) } ?? "–",
        layer.dampening.map { SVG.label($0) } ?? "–",
        layer.permutationGain.map { Format.percent($0, digits: 1) } ?? "–",
        layer.fallback?.rawValue ?? "–", Format.fineSeconds(layer.seconds),
      ])
    }
    return .section(
      "Layers", .details("All \(layers.count.counting("layer"))", table.html))
  }
}

extension Pattern24 {
  /// The kept places as filled squares: `■□■□`.
  fileprivate var picture: String {
    String((0..<4).map { rawValue >> $0 & 1 == 1 ? "■" : "□" })
  }
}

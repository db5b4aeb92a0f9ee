internal import SparseCore

extension ModelPlan: Reportable {
  /// The plan as a page: what to do, why, what it needs, and what to know first.
  package func page(_ origin: ReportOrigin) -> HTMLPage {
    let verdict = verdictText
    return HTMLPage(
      title: "\(origin.modelName) on \(request.gpu.name): does 2:4 pay?",
      lead: verdict.prefix(1).uppercased() + verdict.dropFirst() + ".", origin: origin,
      .keyNumbers(keyNumbers),
      .section("Next", .command(nextWords(for: origin.model))), speedSection, memorySection,
      .section("To know first", .list(advice.map { "\($0)." })), linearSection,
      .section(
        "How to get this again", .command(origin.command), .definitions(origin.definitions),
        .note(
          (weightsNote.map { "Weights: \($0). " } ?? "")
            + (measurement == nil ? "A" : "What was not measured is from a")
            + " roofline model, calibrated on an H100: each product takes as long as its arithmetic or its memory traffic, whichever is longer, and a fixed time. Rates are the datasheet's."
        )))
  }

  /// Which times are measured; nothing where the plan was made without measurements.
  private var measuredNotes: HTML {
    guard let measurement else { return .joined([]) }
    let notes = [HTML.note("Measured: \(measurement.summary); \(measurement.rule).")]
    return .joined(
      measurement.gaps.isEmpty
        ? notes
        : notes + [
          .note("Not measured, so by the roofline model:"), .list(measurement.gapLines),
        ])
  }

  private var form: LinearForm { request.form }

  private var keyNumbers: [(value: String, meaning: String)] {
    var numbers: [(value: String, meaning: String)] = []
    for phase in [Pass.Phase.decode, .prefill] {
      let gains = passes.filter { $0.phase == phase }.map { ($0, $0.gain(form)) }
      guard let (pass, gain) = gains.max(by: { $0.1 < $1.1 }) else { continue }
      numbers.append(
        (
          Format.times(gain),
          "\(form.rawValue) over \(pass.bestDense.rawValue) in \(phase.rawValue) with \(pass.batch.counting("sequence")), at best"
        ))
    }
    numbers.append(
      (
        Format.decimalBytes(memory.weights[form] ?? 0),
        "of weights in \(form.rawValue), \(Format.decimalBytes(memory.weights[.denseHalf] ?? 0)) in dense fp16"
      ))
    numbers.append(
      (Format.bytes(memory.cache.bytesPerToken), "of keys and values for each token of context"))
    return numbers
  }

  // MARK: Speed

  private var speedSection: HTML {
    let forms = LinearForm.allCases.filter { $0 != .denseHalf }
    let charts = [Pass.Phase.decode, .prefill].map { phase in
      LineChart(
        phase == .decode ? "Decoding: the next token" : "Prefill: the prompt",
        note: phase == .decode
          ? "The whole model, one token of each sequence at a time. Dashed: dense fp16."
          : "The whole model, \(PlanRequest.prefillRows) tokens at once at most. Dashed: dense fp16.",
        x: "sequences at once", y: "times as fast as dense fp16",
        series: forms.map { form in
          LineChart.Series(
            form.rawValue,
            passes.filter { $0.phase == phase }.sorted { $0.batch < $1.batch }.map {
              (x: Double($0.batch), y: $0.speedup(form))
            })
        }, reference: 1, isLogarithmicInX: true
      ).html
    }
    var table = HTMLTable(
      [.words("pass"), .numbers("sequences"), .numbers("rows")]
        + LinearForm.allCases.map { .numbers($0.rawValue) }
        + [.numbers("of that, other"), .numbers("\(form.rawValue) over the best dense form")])
    for pass in passes {
      table.append(
        [pass.phase.rawValue, "\(pass.batch)", "\(pass.rows)"]
          + LinearForm.allCases.map { form in
            let time = Format.fineSeconds(pass.seconds(form))
            return form == .denseHalf ? time : "\(time) (\(Format.times(pass.speedup(form))))"
          } + [Format.fineSeconds(pass.rest), Format.times(pass.gain(form))])
    }
    return .section(
      "Speed", .charts(charts), table.html,
      .note(
        "One \(request.gpu.name), were its memory large enough, at \(memory.context.counting("token")) of context. Other: attention and output projection, which are the same in every form."
      ), measuredNotes)
  }

  /// Linears of one shape in one row, with what keeps 2:4 from paying.
  private var linearSection: HTML {
    var table = HTMLTable(
      [
        .numbers("rows"), .words("linears"), .numbers("outputs × inputs"), .numbers("dense fp16"),
        .numbers(form.rawValue), .numbers("speedup"), .words("bound"),
        .words("why no gain over the best dense form"),
      ] + (measurement == nil ? [] : [.words("measured")]))
    let groups = PlanGroup.groups(layers)
    for group in groups {
      let layer = group.layer
      table.append(
        [
          "\(layer.rows)", "\(group.count) × \(group.names.joined(separator: ", "))",
          Format.shape([layer.outputs, layer.inputs]), Format.fineSeconds(layer.dense.seconds),
          Format.fineSeconds(layer.sparse.seconds), Format.times(layer.speedup),
          layer.sparse.bound.rawValue, layer.obstacle.map { "\($0)" } ?? "–",
        ] + (measurement == nil ? [] : [layer.measuredText(form)]))
    }
    return .section(
      "Linears",
      .paragraph(
        "One product each. Rows are the tokens that are multiplied at once; bound says what the product waits for: the tensor cores or memory."
      ), .details("All \(groups.count.counting("shape")) by rows", table.html))
  }

  // MARK: Memory

  private var memorySection: HTML {
    let gpu = request.gpu
    var table = HTMLTable([
      .words("form"), .numbers("sequences"), .numbers("weights"), .numbers("KV cache"),
      .numbers("activations"), .numbers("all"), .numbers("GPUs"),
    ])
    for (batch, _) in memory.activations {
      for form in LinearForm.allCases {
        let budget = memory.budget(form, batch: batch)
        table.append([
          form.rawValue, "\(batch)", Format.decimalBytes(budget.weights),
          Format.decimalBytes(budget.cache), Format.decimalBytes(budget.activations),
          Format.decimalBytes(budget.total), "\(budget.gpus(of: gpu))",
        ])
      }
    }
    let isLarge = memory.weights.values.contains { $0 >= 1_000_000_000 }
    return .section(
      "Memory",
      .charts([
        BarChart(
          "Weights by form",
          note:
            "An eighth of a byte of metadata for each 2:4 weight is counted; embeddings, output projection and norms stay as they are.",
          axis: isLarge ? "10⁹ bytes" : "10⁶ bytes",
          bars: LinearForm.allCases.map { form in
            let bytes = memory.weights[form] ?? 0
            return BarChart.Bar(
              label: form.rawValue, value: Double(bytes) / (isLarge ? 1e9 : 1e6),
              text: Format.decimalBytes(bytes),
              title: "\(form.rawValue): \(Format.grouped(bytes)) bytes")
          }
        ).html,
        .column([arithmetic, holders]),
      ]), table.html)
  }

  private var arithmetic: HTML {
    let cache = memory.cache
    return .joined([
      .note(
        "GPUs hold a model with \(Format.percent(MemoryBudget.usableShare)) of their memory."),
      .note(
        "KV cache: 2 × \(cache.blocks.counting("block")) × \(cache.keyValueHeads.counting("head")) × \(cache.headWidth) wide × \(cache.bytesPerValue) bytes for each token, \(memory.context.counting("token")) a sequence."
      ),
    ])
  }

  /// Every known GPU at the largest batch.
  private var holders: HTML {
    let batch = request.batches.max() ?? 1
    var table = HTMLTable(
      [.words("GPU")] + LinearForm.allCases.map { .numbers($0.rawValue) })
    for gpu in GPU.all {
      table.append(
        [gpu.name]
          + LinearForm.allCases.map { "\(memory.budget($0, batch: batch).gpus(of: gpu))" })
    }
    return .details(
      "How many GPUs of which kind hold it with \(batch.counting("sequence"))", table.html)
  }
}

internal import SparseCore
internal import SparseModel

/// A plan as tables for people.
struct PlanText {
  let plan: ModelPlan
  /// The model as it was typed.
  let model: String

  /// All of it, the verdict and the next command last.
  var text: String {
    [header, layers, passes, memory, holders, advice, verdict].joined(separator: "\n")
  }

  private var form: LinearForm { plan.request.form }

  private var header: String {
    let gpu = plan.request.gpu
    return """
      model        \(model.printable)
      gpu          \(gpu.name.printable): \(plain(gpu.halfRate)) fp16 and \(plain(gpu.int8Rate)) INT8 dense TFLOPS, \
      \(plain(gpu.bandwidth)) GB/s, \(plain(gpu.memory)) GB\(gpu.hasSparseTensorCores ? "" : ", no sparse tensor cores")
      \(weightsLine)\(measured)context      \(plan.memory.context.counting("token"))

      """
  }

  /// Where shapes come from where no weights are there; nothing where they are.
  private var weightsLine: String { plan.weightsNote.map { "weights      \($0)\n" } ?? "" }

  /// What was measured, and below it what was not; nothing where the plan was made without measurements.
  private var measured: String {
    guard let measurement = plan.measurement else { return "" }
    var lines = ["measured     " + measurement.summary, Self.indent + measurement.rule]
    if !measurement.gaps.isEmpty {
      lines.append(Self.indent + "not measured, so by the roofline model:")
      lines += measurement.gapLines.map { "\(Self.indent)- \($0.printable)" }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// As wide as the labels.
  private static let indent = String(repeating: " ", count: 13)

  /// Linears of one shape in one row.
  private var layers: String {
    let isMeasured = plan.measurement != nil
    var table = Table(
      [
        ("rows", .right), ("linears", .left), ("outputs × inputs", .right), ("dense fp16", .right),
        (form.rawValue, .right), ("speedup", .right), ("bound", .left),
      ] + (isMeasured ? [("measured", .left)] : [])
        + [("no gain over the best dense form", .left)])
    for group in PlanGroup.groups(plan.layers) {
      let layer = group.layer
      table.append(
        [
          "\(layer.rows)", "\(group.count) × \(group.names.joined(separator: ", "))",
          Format.shape([layer.outputs, layer.inputs]), Format.fineSeconds(layer.dense.seconds),
          Format.fineSeconds(layer.sparse.seconds), Format.times(layer.speedup),
          layer.sparse.bound.rawValue,
        ] + (isMeasured ? [layer.measuredText(form)] : [])
          + [layer.obstacle.map { "\($0)" } ?? ""])
    }
    return "Linears, each: rows are the tokens multiplied at once\n\n" + table.text
  }

  private var passes: String {
    var table = Table(
      [("pass", .left), ("sequences", .right), ("rows", .right)]
        + LinearForm.allCases.map { ($0.rawValue, .right) }
        + [("other", .right), ("gain", .right)])
    for pass in plan.passes {
      table.append(
        [pass.phase.rawValue, "\(pass.batch)", "\(pass.rows)"]
          + LinearForm.allCases.map { form in
            form == .denseHalf
              ? Format.fineSeconds(pass.seconds(form))
              : "\(Format.fineSeconds(pass.seconds(form))) \(Format.times(pass.speedup(form)))"
          } + [Format.fineSeconds(pass.rest), Format.times(pass.gain(form))])
    }
    return """
      The whole model on one GPU, were its memory large enough; other: attention and output projection, in every column;
      gain: \(form.rawValue) over the faster dense form
      (prompts run in chunks of \(PlanRequest.prefillRows) tokens at most)


      """ + table.text
  }

  private var memory: String {
    let memory = plan.memory
    let cache = memory.cache
    var table = Table([
      ("form", .left), ("sequences", .right), ("weights", .right), ("KV cache", .right),
      ("activations", .right), ("all", .right), (plan.request.gpu.name, .right),
    ])
    for (batch, _) in memory.activations {
      for form in LinearForm.allCases {
        let budget = memory.budget(form, batch: batch)
        table.append([
          form.rawValue, "\(batch)", Format.decimalBytes(budget.weights),
          Format.decimalBytes(budget.cache),
          Format.decimalBytes(budget.activations), Format.decimalBytes(budget.total),
          "\(budget.gpus(of: plan.request.gpu))",
        ])
      }
    }
    return """
      Memory at \(memory.context.counting("token")), and how many GPUs hold it with \(Format.percent(MemoryBudget.usableShare)) of theirs
      \(weights)
      KV cache     2 × \(cache.blocks.counting("block")) × \(cache.keyValueHeads.counting("head")) × \(cache.headWidth) wide \
      × \(cache.bytesPerValue) bytes = \(Format.bytes(cache.bytesPerToken)) a token


      """ + table.text
  }

  /// How the weights' bytes come about, a line for each form.
  private var weights: String {
    let memory = plan.memory
    let bytes: [LinearForm: String] = [
      .denseHalf: "2 bytes", .denseInt8: "1 byte + scales", .sparseHalf: "(1 + 1/8) bytes",
      .sparseInt8: "(1/2 + 1/8) bytes + scales",
    ]
    return LinearForm.allCases.map { form in
      let label = form == .denseHalf ? "weights      " : "             "
      return label
        + "\(form.rawValue): \(memory.linearWeights) in linears × \(bytes[form] ?? "") + "
        + "\(Format.decimalBytes(memory.otherBytes)) = \(Format.decimalBytes(memory.weights[form] ?? 0))"
    }.joined(separator: "\n")
      + "\n             (1/8 byte is metadata; embeddings, output projection and norms stay as they are)"
  }

  /// Every known GPU at the largest batch.
  private var holders: String {
    let batch = plan.request.batches.max() ?? 1
    var table = Table(
      [("gpu", .left)] + LinearForm.allCases.map { ($0.rawValue, .right) })
    for gpu in GPU.all {
      table.append(
        [gpu.name]
          + LinearForm.allCases.map { "\(plan.memory.budget($0, batch: batch).gpus(of: gpu))" })
    }
    return "GPUs that hold it with \(batch.counting("sequence")), by memory alone\n\n" + table.text
  }

  private var advice: String {
    "To know first\n" + plan.advice.map { "- \($0).\n" }.joined()
  }

  private var verdict: String {
    """
    verdict      \(plan.verdictText)
    next         \(ShellLine.text(plan.nextWords(for: model)))\(plan.hasWeights ? "" : "   # once the weights are there")

    """
  }

  private func plain(_ value: Double) -> String {
    Format.fixed(value, value == value.rounded() ? 0 : 1)
  }
}

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
      context      \(plan.memory.context.counting("token"))

      """
  }

  /// Linears of one shape in one row.
  private var layers: String {
    var table = Table([
      ("rows", .right), ("linears", .left), ("outputs × inputs", .right), ("dense fp16", .right),
      (form.rawValue, .right), ("speedup", .right), ("bound", .left),
      ("no gain over \(form.dense.rawValue)", .left),
    ])
    for group in PlanGroup.groups(plan.layers) {
      let layer = group.layer
      table.append([
        "\(layer.rows)", "\(group.count) × \(group.names.joined(separator: ", "))",
        Format.shape([layer.outputs, layer.inputs]), time(layer.dense.seconds),
        time(layer.sparse.seconds), times(layer.speedup), layer.sparse.bound.rawValue,
        layer.obstacle.map { "\($0)" } ?? "",
      ])
    }
    return "Linears, each: rows are the tokens multiplied at once\n\n" + table.text
  }

  private var passes: String {
    var table = Table(
      [("pass", .left), ("sequences", .right), ("rows", .right)]
        + LinearForm.allCases.map { ($0.rawValue, .right) } + [("other", .right)])
    for pass in plan.passes {
      table.append(
        [pass.phase.rawValue, "\(pass.batch)", "\(pass.rows)"]
          + LinearForm.allCases.map { form in
            form == .denseHalf
              ? time(pass.seconds(form))
              : "\(time(pass.seconds(form))) \(times(pass.speedup(form)))"
          } + [time(pass.rest)])
    }
    return """
      The whole model on one GPU, were its memory large enough; other: attention and output projection, in every column
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
          form.rawValue, "\(batch)", gigabytes(budget.weights), gigabytes(budget.cache),
          gigabytes(budget.activations), gigabytes(budget.total),
          "\(budget.gpus(of: plan.request.gpu))",
        ])
      }
    }
    return """
      Memory at \(memory.context.counting("token")), and how many GPUs hold it with \(percent(MemoryBudget.usableShare)) of theirs
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
        + "\(gigabytes(memory.otherBytes)) = \(gigabytes(memory.weights[form] ?? 0))"
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
    let quoted =
      model.contains(where: { " '\"\\$&;|<>()*?!`".contains($0) })
      ? "'" + model.replacing("'", with: "'\\''") + "'" : model
    switch plan.verdict {
    case .prune(let gain, let phase, let batch):
      let option = form.isInt8 ? " --quantize int8" : ""
      return """
        verdict      2:4 can pay: up to \(times(gain)) over \(form.dense.rawValue) (\(phase.rawValue), \(batch.counting("sequence")))
        next         sparsify prune \(quoted.printable)\(option)

        """
    case .quantize(let speedup, let phase, let batch):
      return """
        verdict      2:4 does not pay here; INT8 alone does: up to \(times(speedup)) (\(phase.rawValue), \(batch.counting("sequence")))
        next         sparsify quantize \(quoted.printable)

        """
    case .keepDense:
      return """
        verdict      keep it dense: neither 2:4 nor INT8 makes it 1.1 times as fast
        next         sparsify inspect \(quoted.printable)

        """
    }
  }

  private func times(_ factor: Double) -> String { Format.fixed(factor, 2) + "×" }
  private func percent(_ share: Double) -> String { Format.fixed(100 * share, 0) + " %" }
  private func gigabytes(_ bytes: Int) -> String {
    let (value, unit) =
      bytes < 99_950_000 ? (Double(bytes) / 1e6, " MB") : (Double(bytes) / 1e9, " GB")
    return Format.fixed(value, value < 9.95 ? 2 : 1) + unit
  }
  private func plain(_ value: Double) -> String {
    Format.fixed(value, value == value.rounded() ? 0 : 1)
  }
  private func time(_ seconds: Double) -> String {
    seconds < 1e-3
      ? Format.fixed(seconds * 1e6, 1) + " µs"
      : seconds < 1 ? Format.fixed(seconds * 1e3, 2) + " ms" : Format.fixed(seconds, 2) + " s"
  }
}

/// Linears of one shape at one number of rows.
struct PlanGroup {
  /// One of them.
  let layer: ModelPlan.Layer
  /// The last parts of their names, each once.
  private(set) var names: [String]
  /// How many they are.
  private(set) var count: Int

  /// The layers in groups, in the order of their first ones.
  static func groups(_ layers: [ModelPlan.Layer]) -> [PlanGroup] {
    var groups: [PlanGroup] = []
    var places: [[Int]: Int] = [:]
    for layer in layers {
      let parts = layer.name.split(separator: ".").filter { $0 != "weight" }
      let name = parts.last.map(String.init) ?? layer.name
      let key = [layer.rows, layer.outputs, layer.inputs]
      if let place = places[key] {
        groups[place].count += 1
        if !groups[place].names.contains(name) { groups[place].names.append(name) }
      } else {
        places[key] = groups.count
        groups.append(PlanGroup(layer: layer, names: [name], count: 1))
      }
    }
    return groups
  }
}

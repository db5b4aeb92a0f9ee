internal import SparseCore
internal import SparseModel

/// `sparsify bench`: how fast the kernels are on this machine.
enum BenchCommand: Command {
  static let cases = Parameter(
    repeatedArgument: "case", .word(of: Benchmark.names),
    note: "all", "What to measure.")

  static let train = Parameter(
    option: "train", "model", .path, note: "none",
    "Measure training steps of this 2:4 model instead, with itself as the teacher.")

  static let spec = CommandSpec(
    "bench", "Measure the kernels on this machine",
    discussion: """
      Each case is given with its rate and its share of what the machine itself was measured to reach: \
      arithmetic or memory bandwidth. Close other programs first. The case linear also gives a table of \
      how much faster one linear layer is from each form of its weight, by the rows of activations.
      """,
    parameters: [cases, train, Common.threads, Common.json, Common.quiet],
    exclusive: [["case", "train"]],
    examples: [
      .init("Measure everything", "sparsify bench"),
      .init("Steps of training", "sparsify bench --train SmolLM2-135M-2of4"),
      .init("Matrix products on one thread", "sparsify bench gemm rank-k --threads 1"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let wanted = arguments[cases]
    let total = wanted.isEmpty ? Benchmark.names.count : Set(wanted).count
    var results: [Benchmark.Result] = []
    if let model = arguments[train] {
      let result = try TrainingBenchmark.run(
        model, on: context.compute, progress: context.progress)
      if arguments[Common.json] {
        try context.print(json([result]))
      } else {
        try context.print(text([result], context.compute))
      }
      return .done
    }
    try Benchmark.run(cases: wanted.isEmpty ? nil : wanted, compute: context.compute) { result in
      results.append(result)
      let done = Set(results.map(\.name)).count
      try context.progress(Progress(step: "measured \(result.name)", done: done, total: total))
    }
    if arguments[Common.json] {
      try context.print(json(results))
    } else {
      try context.print(text(results, context.compute))
    }
    return .done
  }

  private static func text(_ results: [Benchmark.Result], _ compute: Compute) -> String {
    var table = Table([
      ("case", .left), ("shape", .left), ("best", .right), ("median", .right), ("GFLOP/s", .right),
      ("GB/s", .right), ("share", .right), ("of", .left),
    ])
    for result in results {
      table.append([
        result.name, result.shape, milliseconds(result.best), milliseconds(result.median),
        result.gigaflops.map { Format.fixed($0, 1) } ?? "–",
        result.gigabytes.map { Format.fixed($0, 1) } ?? "–",
        Format.fixed(100 * result.share, 0) + " %", result.limit.rawValue,
      ])
    }
    let machine = Machine.current()
    return table.text + products(results)
      + "\n\(compute.kernels), \(compute.threads.counting("thread")), "
      + "\(machine.processor ?? "unknown processor"), \(machine.system)\n"
      + "Rates are those of the best run; shares are of what this machine reached in the same run.\n"
  }

  /// The times of one linear layer from each form of its weight, and how they compare, row by row of the batch;
  /// nothing where there are none.
  static func products(_ results: [Benchmark.Result]) -> String {
    let forms = Benchmark.Product.Form.allCases
    var table = Table([("rows", .right)] + forms.map { ($0.rawValue, .right) })
    let rows = results.compactMap(\.product?.rows).reduce(into: [Int]()) {
      if $0.last != $1 { $0.append($1) }
    }
    guard !rows.isEmpty else { return "" }
    for rows in rows {
      let ofRows = results.filter { $0.product?.rows == rows }
      table.append(
        ["\(rows)"]
          + forms.map { form in
            guard let result = ofRows.first(where: { $0.product?.form == form }) else { return "–" }
            let ratio = speedup(of: result, in: results).map { " \(Format.fixed($0, 2))×" } ?? ""
            return Format.fixed(1000 * result.best, 2) + " ms" + ratio
          })
    }
    return
      "\nOne linear layer by the rows of activations, and how many times as fast as dense f16:\n"
      + table.text
  }

  /// How many times as fast as dense float16 a product of the same rows is.
  private static func speedup(
    of result: Benchmark.Result, in results: [Benchmark.Result]
  ) -> Double? {
    guard let rows = result.product?.rows else { return nil }
    let dense = results.first { $0.product == Benchmark.Product(form: .float16, rows: rows) }
    return dense.map { $0.best / result.best }
  }

  private static func milliseconds(_ seconds: Double) -> String {
    Format.fixed(1000 * seconds, 3) + " ms"
  }

  private static func json(_ results: [Benchmark.Result]) -> JSON {
    let machine = Machine.current()
    return [
      "schema": 1, "version": .string(Tool.version),
      "processor": machine.processor.map(JSON.string) ?? .null,
      "system": .string(machine.system),
      "results": .array(
        results.map { result in
          [
            "case": .string(result.name), "shape": .string(result.shape),
            "kernel": .string(result.kernel), "threads": .integer(result.threads),
            "bestSeconds": .number(result.best), "medianSeconds": .number(result.median),
            "gigaflops": result.gigaflops.map(JSON.number) ?? .null,
            "gigabytes": result.gigabytes.map(JSON.number) ?? .null,
            "share": .number(result.share), "shareOf": .string(result.limit.rawValue),
            "product": result.product.map { product in
              [
                "weight": .string(product.form.rawValue), "rows": .integer(product.rows),
                "speedup": speedup(of: result, in: results).map(JSON.number) ?? .null,
              ]
            } ?? .null,
          ]
        }),
    ]
  }
}

internal import SparseCore
internal import SparseModel

/// `sparsify bench`: how fast the kernels are on this machine.
enum BenchCommand: Command {
  /// What the products run on.
  enum Device: String, CaseIterable { case cpu, cuda }

  static let cases = Parameter(
    repeatedArgument: "case", .benchmarkCase, note: "all",
    "What to measure; with --device cuda the model whose linears are, instead of those of Llama-2 7B."
  )

  static let device = Parameter(
    option: "device", "device", ValueType<Device>.choice, default: "cpu",
    "Measure this processor's kernels, or NVIDIA's libraries with dense and 2:4 weights on a GPU.")

  static let rows = Parameter(
    option: "rows", "list", .batches, note: "1,16,32,64,128,256,512,1024,2048,4096,8192",
    "The rows of activations that are measured on a GPU.")

  static let train = Parameter(
    option: "train", "model", .path, note: "none",
    "Measure training steps of this 2:4 model instead, with itself as the teacher.")

  static let spec = CommandSpec(
    "bench", "Measure the kernels on this machine or its GPU",
    discussion: """
      Each case is given with its rate and its share of what the machine itself was measured to reach: \
      arithmetic or memory bandwidth. Close other programs first. The case linear also gives a table of \
      how much faster one linear layer is from each form of its weight, by the rows of activations.
      With --device cuda the linears of a model are measured with cuBLASLt and cuSPARSELt, whose fastest \
      kernels are searched for and kept for the next time; 'plan --measured' takes the table of --json.
      """,
    parameters: [cases, device, rows, train, Common.threads, Common.json, Common.quiet],
    exclusive: [["case", "train"]],
    examples: [
      .init("Measure everything", "sparsify bench"),
      .init("Steps of training", "sparsify bench --train SmolLM2-135M-2of4"),
      .init("Matrix products on one thread", "sparsify bench gemm rank-k --threads 1"),
      .init(
        "The linears of a model on a GPU, for 'plan --measured h100.json'",
        "sparsify bench --device cuda Llama-2-7b --json > h100.json"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    switch arguments[device] {
    case .cuda: try runOnGPU(arguments, in: context)
    case .cpu: try runHere(arguments, in: context)
    }
    return .done
  }

  private static func runOnGPU(_ arguments: Arguments, in context: Context) throws {
    let models = arguments[cases]
    guard models.count <= 1 else { throw UsageError.unexpectedArguments(Array(models.dropFirst())) }
    guard arguments[train] == nil else {
      throw UsageError.noEffect(train.spec, reason: "training runs on this processor")
    }
    let measured = try DeviceBenchmark(model: models.first, rows: arguments[rows] ?? standardRows)
      .run(in: context)
    if arguments[Common.json] {
      try context.print(measured.json)
    } else {
      try context.print(measured.text)
    }
  }

  private static let standardRows = [1] + (4...13).map { 1 << $0 }

  private static func runHere(_ arguments: Arguments, in context: Context) throws {
    guard arguments[rows] == nil else {
      throw UsageError.noEffect(rows.spec, reason: "it is for --device cuda")
    }
    let wanted = arguments[cases]
    for name in wanted where !Benchmark.names.contains(name) {
      let reason = ValueError(choosing: name, from: Benchmark.names).reason
      throw UsageError.badValue(cases.spec, value: name, reason: reason)
    }
    let total = wanted.isEmpty ? Benchmark.names.count : Set(wanted).count
    var results: [Benchmark.Result] = []
    if let model = arguments[train] {
      results = [
        try TrainingBenchmark.run(model, on: context.compute, progress: context.progress)
      ]
    } else {
      try Benchmark.run(cases: wanted.isEmpty ? nil : wanted, compute: context.compute) { result in
        results.append(result)
        let done = Set(results.map(\.name)).count
        try context.progress(RunProgress(step: "measured \(result.name)", done: done, total: total))
      }
    }
    if arguments[Common.json] {
      try context.print(json(results))
    } else {
      try context.print(text(results, context.compute))
    }
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

extension ValueType where Value == String {
  /// The name of a case, which a shell completes, or a path: which of them is wanted another option says.
  fileprivate static var benchmarkCase: Self {
    Self(allowed: Benchmark.names, completion: .values, read: path.read)
  }
}

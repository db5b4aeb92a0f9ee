internal import SparseCore
internal import SparseModel

/// `sparsify bench`: how fast the kernels are on this machine.
enum BenchCommand: Command {
  static let cases = Parameter(
    repeatedArgument: "case", .word(of: Benchmark.names),
    note: "all", "What to measure.")

  static let spec = CommandSpec(
    "bench", "Measure the kernels on this machine",
    discussion: """
      Each case is given with its rate and its share of what the machine itself was measured to reach: \
      arithmetic or memory bandwidth. Close other programs first.
      """,
    parameters: [cases, Common.threads, Common.json, Common.quiet],
    examples: [
      .init("Measure everything", "sparsify bench"),
      .init("Matrix products on one thread", "sparsify bench gemm rank-k --threads 1"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let wanted = arguments[cases]
    let total = wanted.isEmpty ? Benchmark.names.count : Set(wanted).count
    var results: [Benchmark.Result] = []
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
    return table.text + "\n\(compute.kernels), \(compute.threads.counting("thread")), "
      + "\(machine.processor ?? "unknown processor"), \(machine.system)\n"
      + "Rates are those of the best run; shares are of what this machine reached in the same run.\n"
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
          ]
        }),
    ]
  }
}

/// Measures the kernels on this machine, and holds each against what the machine can do at best.
package enum Benchmark {
  /// What limits a case, and so what its rate is a share of.
  package enum Limit: String, Sendable {
    /// Multiply-adds: the measured rate of a loop of nothing else, on as many threads.
    case peak = "fma-peak"
    /// Reading memory: the measured rate of a loop that only sums what it reads.
    case read
    /// Reading and writing memory: the measured rate of a copy.
    case copy = "memcpy"
    /// Whole matrix products: the measured rate of the first case of `gemm`.
    case product = "gemm"
  }

  /// One measured case.
  package struct Result: Sendable {
    package var name: String
    package var shape: String
    package var kernel: String
    package var threads: Int
    /// Seconds of the fastest and of the middle run.
    package var best: Double
    package var median: Double
    /// Rates of the fastest run, where gigabytes count what is read and what is written.
    package var gigaflops: Double?
    package var gigabytes: Double?
    /// The rate divided by what the limit's own loop reached, both at their best.
    package var share: Double
    package var limit: Limit
    /// Which product it is, for those of the case `linear`.
    package var product: Product?

    package init(
      name: String, shape: String, kernel: String, threads: Int, best: Double, median: Double,
      gigaflops: Double? = nil, gigabytes: Double? = nil, share: Double = 1, limit: Limit,
      product: Product? = nil
    ) {
      self.name = name
      self.shape = shape
      self.kernel = kernel
      self.threads = threads
      self.best = best
      self.median = median
      self.gigaflops = gigaflops
      self.gigabytes = gigabytes
      self.share = share
      self.limit = limit
      self.product = product
    }
  }

  /// What one run of a case does.
  struct Work {
    var flops = 0.0
    /// Bytes read plus bytes written.
    var bytes = 0.0
    var body: () -> Void
  }

  /// A case before it is measured.
  struct Case: Sendable {
    var name: String
    var shape: String
    var limit: Limit
    var product: Product?
    /// Makes what the work needs; only the work itself is timed.
    var prepare: @Sendable (Compute) -> Work
  }

  /// The names that `run` takes, in its order.
  package static var names: [String] {
    cases.map(\.name).reduce(into: []) { names, name in
      if names.last != name { names.append(name) }
    }
  }

  /// Measures the cases of these names, or all, and hands each result over as soon as it is there.
  ///
  /// - Throws: `BenchmarkError.unknownCase` before anything is measured, or what `report` throws.
  package static func run(
    cases wanted: [String]? = nil, compute: Compute, report: (Result) throws -> Void
  ) throws {
    for name in wanted ?? [] where !names.contains(name) {
      throw BenchmarkError.unknownCase(name: name, available: names)
    }
    var limits: [Limit: Double] = [:]
    for item in cases where wanted?.contains(item.name) ?? true {
      var result = measure(item, compute)
      let limit = limitCase(item.limit)
      let isLimit = limit.name == item.name
      let top = limits[item.limit] ?? (isLimit ? result : measure(limit, compute)).rate
      limits[item.limit] = top
      result.share = result.rate / top
      try report(result)
    }
  }

  /// Runs a case for half a second and at least five times, after once to warm up.
  private static func measure(_ item: Case, _ compute: Compute) -> Result {
    let work = item.prepare(compute)
    let clock = ContinuousClock()
    work.body()
    var times: [Double] = []
    while times.count < 5 || times.reduce(0, +) < 0.5 {
      let time = clock.measure(work.body).components
      times.append(Double(time.seconds) + Double(time.attoseconds) * 1e-18)
    }
    times.sort()
    let best = times[0]
    return Result(
      name: item.name, shape: item.shape, kernel: compute.kernels.name, threads: compute.threads,
      best: best, median: times[times.count / 2],
      gigaflops: work.flops > 0 ? work.flops / best / 1e9 : nil,
      gigabytes: work.bytes > 0 ? work.bytes / best / 1e9 : nil, limit: item.limit,
      product: item.product)
  }
}

extension Benchmark.Result {
  /// Whichever rate the limit counts.
  fileprivate var rate: Double { (limit == .peak ? gigaflops : gigabytes) ?? 0 }
}

/// Why nothing was measured.
package enum BenchmarkError: Error, Equatable, CustomStringConvertible {
  /// There is no case of this name.
  case unknownCase(name: String, available: [String])

  package var description: String {
    switch self {
    case .unknownCase(let name, let available):
      "no benchmark called '\(name)'; there are \(available.joined(separator: ", "))"
    }
  }
}

import SparseCore
import Testing

@Suite struct BenchmarkTests {
  @Test func unknownCasesAreRefusedBeforeAnythingRuns() {
    let error = #expect(throws: BenchmarkError.self) {
      try Benchmark.run(cases: ["memcpy", "gem"], compute: Compute()) { _ in
        Issue.record("something was measured")
      }
    }
    #expect(error?.description.contains("'gem'") == true)
  }

  @Test func everyNameIsListedOnce() {
    #expect(Set(Benchmark.names).count == Benchmark.names.count)
    #expect(Benchmark.names.starts(with: ["fma-peak", "read", "memcpy", "gemm"]))
  }

  /// The quickest case, on every kernel set: rates and shares are numbers above zero.
  @Test(arguments: KernelSet.available) func resultsAreComplete(kernels: KernelSet) throws {
    var results: [Benchmark.Result] = []
    try Benchmark.run(cases: ["fma-peak"], compute: Compute(kernels: kernels, threads: 2)) {
      results.append($0)
    }
    let result = try #require(results.first)
    #expect(results.count == 1 && result.name == "fma-peak")
    #expect(result.kernel == kernels.name && result.threads == 2)
    #expect(result.best > 0 && result.median >= result.best)
    #expect((result.gigaflops ?? 0) > 0 && result.share > 0)
  }
}

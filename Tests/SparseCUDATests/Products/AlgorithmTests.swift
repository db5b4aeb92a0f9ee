import SparseCore
import TestSupport
import Testing

@testable import SparseCUDA

extension WithStub {
  @Suite struct AlgorithmTests {
    /// The stub's clock makes kernel 4 with four parts fastest for few rows, and kernel 1 whole for many.
    @Test(
      "The fastest kernel is found, with the reduction cut where rows are few",
      arguments: [16, 512])
    func search(rows: Int) throws {
      let stub = try Stub()
      stub.set("compute", 0)
      let result = try measure(stub, rows: rows, cache: nil).result
      let fastest =
        rows == 16
        ? AlgorithmChoice(configuration: 4, splits: 4, splitMode: 1)
        : AlgorithmChoice(configuration: 1)
      #expect(result.algorithm == fastest)
      #expect(stub.live() == 0)
      #expect(stub.violations == [])
    }

    @Test("What was found is kept: the next run does not search, and measures the same")
    func kept() throws {
      let stub = try Stub()
      stub.set("compute", 0)
      let folder = try TemporaryFolder()
      let path = folder["cache/sparsify/kernels.json"]
      let first = try measure(stub, rows: 16, cache: AlgorithmCache(path: path))
      try first.cache?.save()
      let searches = stub.count(of: "cusparseLtMatmulSearch")
      #expect(searches == 1)
      let second = try measure(stub, rows: 16, cache: AlgorithmCache(path: path))
      #expect(stub.count(of: "cusparseLtMatmulSearch") == searches)
      #expect(second.result == first.result)
    }

    @Test("Kernels of another version of the library are not taken")
    func versions() throws {
      let stub = try Stub()
      stub.set("compute", 0)
      let first = try measure(
        stub, rows: 16, cache: AlgorithmCache(path: TemporaryFolder()["kernels.json"]))
      stub.set("sparseLtVersion", 801)
      _ = try measure(stub, rows: 16, cache: first.cache)
      #expect(stub.count(of: "cusparseLtMatmulSearch") == 2)
    }

    @Test(
      "A cache that is no cache, or holds what the library refuses, is made anew",
      arguments: ["", "{", "[1]", #"{"schema":1,"kernels":{"x":3}}"#, "stale"])
    func broken(text: String) throws {
      let stub = try Stub()
      stub.set("compute", 0)
      let folder = try TemporaryFolder()
      let path = folder["kernels.json"]
      if text == "stale" {
        try measure(stub, rows: 16, cache: AlgorithmCache(path: path)).cache?.save()
        let known = String(decoding: try folder.read("kernels.json"), as: UTF8.self)
        try folder.write(
          known.replacing("\"configuration\": 4", with: "\"configuration\": 99"),
          to: "kernels.json")
      } else {
        try folder.write(text, to: "kernels.json")
      }
      let result = try measure(stub, rows: 16, cache: AlgorithmCache(path: path)).result
      #expect(result.algorithm == AlgorithmChoice(configuration: 4, splits: 4, splitMode: 1))
    }

    private func measure(
      _ stub: Stub, rows: Int, cache: AlgorithmCache?
    ) throws -> (result: GPUBenchmark.Result, cache: AlgorithmCache?) {
      let session = try stub.session()
      var benchmark = try GPUBenchmark(session.sparse, session.dense(), cache: cache)
      let peak = GPUBenchmark.Peak(half: 1e15, int8: 2e15, bandwidth: 1e12)
      let size = LinearSize(outputs: 512, inputs: 1024)
      let result = try benchmark.measure(.sparseInt8, rows: rows, size, peak)
      return (try #require(result), benchmark.algorithms)
    }
  }
}

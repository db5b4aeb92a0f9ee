import SparseCore
import TestSupport
import Testing

@testable import SparseCUDA

extension WithStub {
  @Suite struct AlgorithmTests {
    /// The stub's clock makes kernel 4 fastest for few rows, in segments or four parts, and kernel 1 whole for many; its own
    /// search tries whole sums alone.
    @Test(
      "The fastest kernel is found, with the reduction cut where rows are few",
      arguments: [
        (16, 90, AlgorithmChoice(configuration: 4, splits: -1)),
        (16, 80, AlgorithmChoice(configuration: 4, splits: 4, splitMode: 1)),
        (16, 100, AlgorithmChoice(configuration: 4)), (288, 90, AlgorithmChoice(configuration: 1)),
      ])
    func search(rows: Int, capability: Int, fastest: AlgorithmChoice) throws {
      let stub = try Stub()
      stub.set("capability", capability)
      let result = try measure(stub, rows: rows, cache: nil).result
      #expect(result.algorithm == fastest)
      #expect(stub.live() == 0)
      #expect(stub.violations == [])
    }

    @Test(
      "Candidates that fail are left out, whatever fails of them",
      arguments: [
        ("cusparseLtMatmulAlgSetAttribute", 3), ("cusparseLtMatmulPlanInit", 7),
        ("cusparseLtMatmulSearch", 7), ("cusparseLtMatmul", 6),
      ])
    func failing(call: String, status: Int) throws {
      let stub = try Stub()
      _ = try measure(stub, rows: 16, cache: nil)
      let calls = stub.count(of: call)
      for place in [2, calls / 2] {
        let stub = try Stub()
        stub.fail(call, at: max(1, min(place, calls)), status: status)
        #expect(try measure(stub, rows: 16, cache: nil).result.algorithm != nil)
        #expect(stub.live() == 0)
      }
      let broken = try Stub()
      broken.fail("cusparseLtMatmul", at: 0, status: 6)
      #expect(throws: CUDAError.self) { try measure(broken, rows: 16, cache: nil) }
    }

    @Test("What was found is kept: the next run does not search, and measures the same")
    func kept() throws {
      let stub = try Stub()
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
      #expect(result.algorithm == AlgorithmChoice(configuration: 4, splits: -1))
    }

    private func measure(
      _ stub: Stub, rows: Int, cache: AlgorithmCache?
    ) throws -> (result: GPUBenchmark.Result, cache: AlgorithmCache?) {
      let session = try stub.session()
      var benchmark = try GPUBenchmark(session.sparse, session.dense(), cache: cache)
      let peak = GPUBenchmark.Peak(half: 1e15, int8: 2e15, bandwidth: 1e12)
      let size = LinearSize(outputs: 128, inputs: 256)
      let result = try benchmark.measure(.sparseInt8, rows: rows, size, peak)
      return (try #require(result), benchmark.algorithms)
    }
  }
}

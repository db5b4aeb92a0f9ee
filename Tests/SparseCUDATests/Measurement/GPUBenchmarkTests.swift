import SparseCore
import Testing

@testable import SparseCUDA

extension WithStub {
  @Suite struct GPUBenchmarkTests {
    @Test("Times are those of the GPU's clock, a product each")
    func times() throws {
      let stub = try Stub()
      let session = try stub.session()
      var benchmark = try GPUBenchmark(session.sparse, session.dense())
      let peak = try benchmark.peak(side: 2048)
      let size = LinearSize(outputs: 128, inputs: 512)
      // By the stub's formula: 1000 ns and m·n·k / speed for the best kernel.
      let work = 512.0 * 128 * 512
      for (form, speed) in [
        (LinearForm.denseHalf, 64.0), (.denseInt8, 128), (.sparseHalf, 128), (.sparseInt8, 256),
      ] {
        let result = try #require(try benchmark.measure(form, rows: 512, size, peak))
        let expected = 1e-9 * (1000 + work / speed)
        #expect(abs(result.median / expected - 1) < 1e-3, "\(form)")
        #expect(abs(result.best / expected - 1) < 1e-3, "\(form)")
        #expect(result.share > 0.6 && result.share <= 1.01, "\(form): \(result.share)")
        #expect((result.algorithm != nil) == form.isSparse)
      }
      #expect(abs(peak.int8 / peak.half - 2) < 0.01)
      #expect(stub.violations == [])
    }

    @Test("A shape without sparse kernels is left out, not refused")
    func shapes() throws {
      let stub = try Stub()
      let session = try stub.session()
      var benchmark = try GPUBenchmark(session.sparse, session.dense())
      let peak = GPUBenchmark.Peak(half: 1e15, int8: 2e15, bandwidth: 1e12)
      let size = LinearSize(outputs: 48, inputs: 144)
      #expect(try benchmark.measure(.sparseInt8, rows: 1, size, peak) == nil)
      #expect(try benchmark.measure(.sparseHalf, rows: 1, size, peak) != nil)
    }

    @Test("A linear that INT8 has no kernel for is left out, too", arguments: [(1, 64), (64, 66)])
    func oddShapes(outputs: Int, inputs: Int) throws {
      let stub = try Stub()
      let session = try stub.session()
      var benchmark = try GPUBenchmark(session.sparse, session.dense())
      let peak = GPUBenchmark.Peak(half: 1e15, int8: 2e15, bandwidth: 1e12)
      let size = LinearSize(outputs: outputs, inputs: inputs)
      #expect(try benchmark.measure(.denseInt8, rows: 1, size, peak) == nil)
      #expect(try benchmark.measure(.denseHalf, rows: 1, size, peak) != nil)
    }

    @Test("A kernel whose result is wrong is not taken")
    func wrong() throws {
      let stub = try Stub()
      let session = try stub.session()
      let shape = try SparseShape(outputs: 64, inputs: 64, type: .int8)
      let product = try SparseProduct(shape, rows: 16)
      let scale = ProductSample.scale(of: .int8, inputs: 64)
      let weight = try RandomBytes(.int8, seed: 1).buffer(shape.denseBytes, on: session.device)
      try session.sparse.prune(weight, shape: shape, by: .strip, into: weight)
      let compressed = try SparseWeight(compressing: weight, shape: shape, session.sparse)
      let x = try RandomBytes(.int8, seed: 2).buffer(product.inputBytes, on: session.device)
      let y = try DeviceBuffer(byteCount: product.outputBytes, on: session.device)
      try SparsePlan(product, session.sparse).multiply(x, compressed, into: y, scale: scale)
      let sample = ProductSample(product, scale: scale)
      try sample.check(y, x, weight)
      #expect(throws: CUDAError.self) { try ProductSample(product, scale: 1).check(y, x, weight) }
      try y.clear()
      #expect(throws: CUDAError.self) { try sample.check(y, x, weight) }
    }

    @Test("Weights take turns beyond the cache")
    func turns() throws {
      let stub = try Stub()
      stub.set("cache", 1 << 16)
      let session = try stub.session()
      let weight = try DeviceBuffer(byteCount: 1 << 14, on: session.device)
      let weights = try RotatedWeights(weight, on: session.device)
      #expect(Set((0..<100).map { weights[$0] }).count == 16)
    }
  }
}

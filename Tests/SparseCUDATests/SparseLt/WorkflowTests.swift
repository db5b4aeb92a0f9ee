import SparseCore
import TestSupport
import Testing

@testable import SparseCUDA

extension WithStub {
  @Suite struct WorkflowTests {
    /// Prunes, checks, compresses, plans and multiplies, as a user would.
    private static func work(_ stub: Stub, type: ScalarType = .int8) throws -> [UInt8] {
      let session = try stub.session()
      let shape = try SparseShape(outputs: 64, inputs: 96, type: type)
      let dense = try RandomBytes(shape.type, seed: 1).buffer(shape.denseBytes, on: session.device)
      try session.sparse.prune(dense, shape: shape, by: .strip, into: dense)
      #expect(try session.sparse.isSparse(dense, shape: shape))
      let weight = try SparseWeight(compressing: dense, shape: shape, session.sparse)
      let product = try SparseProduct(shape, rows: 5)
      let x = try RandomBytes(shape.type, seed: 2).buffer(product.inputBytes, on: session.device)
      let y = try DeviceBuffer(byteCount: product.outputBytes, on: session.device)
      let plan = try SparsePlan(product, session.sparse)
      try plan.multiply(x, weight, into: y)
      return try y.bytes(product.outputBytes)
    }

    @Test("The calls come in the order that the library wants, on structures that never move")
    func order() throws {
      let stub = try Stub()
      _ = try Self.work(stub)
      #expect(stub.violations == [])
      #expect(stub.live() == 0)
      let names = stub.callNames.filter { $0.hasPrefix("cusparseLt") && !$0.contains("Destroy") }
      #expect(
        names == [
          "cusparseLtGetProperty", "cusparseLtGetProperty", "cusparseLtGetProperty",
          "cusparseLtInit",
          "cusparseLtStructuredDescriptorInit", "cusparseLtSpMMAPrune2",
          "cusparseLtStructuredDescriptorInit", "cusparseLtSpMMAPruneCheck2",
          "cusparseLtStructuredDescriptorInit", "cusparseLtSpMMACompressedSize2",
          "cusparseLtSpMMACompress2",
          "cusparseLtStructuredDescriptorInit", "cusparseLtDenseDescriptorInit",
          "cusparseLtDenseDescriptorInit", "cusparseLtMatmulDescriptorInit",
          "cusparseLtMatmulAlgSelectionInit", "cusparseLtMatmulPlanInit",
          "cusparseLtMatmulGetWorkspace", "cusparseLtMatmul",
        ])
    }

    @Test(
      "All ABIs from 0.6.2 on give the same results", arguments: [512, 1024, 13072],
      [ScalarType.int8, .float16, .bfloat16])
    func structures(byteCount: Int, type: ScalarType) throws {
      let stub = try Stub()
      let expected = try Self.work(stub, type: type)
      stub.set("structBytes", byteCount)
      #expect(try Self.work(stub, type: type) == expected)
      #expect(stub.violations == [])
      #expect(stub.live() == 0)
    }

    @Test("Whatever call fails, the error names it, and nothing is left")
    func failures() throws {
      let whole = try Stub()
      _ = try Self.work(whole)
      let used = Set(whole.callNames).filter { !Self.cannotFail($0) }
      #expect(used.count >= 20)
      for name in used {
        let stub = try Stub()
        stub.fail(name, status: 7)
        do {
          _ = try Self.work(stub)
          Issue.record("\(name) failed and nobody noticed")
        } catch CUDAError.callFailed(let call, let status, let title, let message) {
          #expect(call == name.replacing("_v2", with: ""))
          #expect(status == 7)
          #expect(!title.isEmpty && !message.isEmpty)
        }
        #expect(stub.live() == 0, "\(name)")
        #expect(stub.violations == [], "\(name)")
      }
    }

    @Test("The second call of a function, and all that follow, may fail as well as the first")
    func laterFailures() throws {
      let whole = try Stub()
      _ = try Self.work(whole)
      for (place, name) in whole.callNames.enumerated() where !Self.cannotFail(name) {
        let stub = try Stub()
        stub.fail("*", at: place + 1, status: 2)
        #expect(throws: CUDAError.self, "call \(place), \(name)") { try Self.work(stub) }
        #expect(stub.live() == 0, "call \(place), \(name)")
        #expect(stub.violations == [], "call \(place), \(name)")
      }
    }

    /// What gives something back has nobody to tell; and versions that cannot be told are no failure.
    private static func cannotFail(_ name: String) -> Bool {
      name.contains("Destroy") || name == "cudaFree" || name == "cudaDriverGetVersion"
        || name == "cusparseLtGetProperty"
    }

    @Test("Memory that runs out is an error with the call's name")
    func memory() throws {
      let stub = try Stub()
      stub.set("memory", 4096)
      #expect {
        _ = try Self.work(stub)
      } throws: { error in
        guard case CUDAError.callFailed("cudaMalloc", 2, _, _) = error else { return false }
        return true
      }
      #expect(stub.live() == 0)
    }

    @Test("No GPU, a GPU too few, and a GPU without sparse tensor cores are told apart")
    func devices() throws {
      let stub = try Stub()
      stub.set("devices", 0)
      #expect(throws: CUDAError.noDevice) { try stub.session() }
      stub.fail("cudaGetDeviceCount", status: 35)
      let error = #expect(throws: CUDAError.self) { try stub.session() }
      #expect(
        try #require(error).description
          == "\(stub.libraries.folder["libcudart.so.12"]) is CUDA 12.8, and the driver goes up to 13.0"
      )
      stub.set("devices", 2)
      #expect(throws: CUDAError.noSuchDevice(index: 2, count: 2)) {
        try CUDASession(stub.search, device: 2)
      }
      stub.set("capability", 75)
      #expect(
        throws: CUDAError.notSparse(device: "Stub GPU", capability: ComputeCapability(7, 5))
      ) { try stub.session() }
    }
  }
}

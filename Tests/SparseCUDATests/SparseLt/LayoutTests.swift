import SparseCore
import Testing

@testable import SparseCUDA

extension WithStub {
  @Suite struct LayoutTests {
    @Test("A library that lays its metadata out as 0.8.0 on an H100 does is recognised")
    func known() throws {
      #expect(try Stub().session().sparse.layout() == .h100)
    }

    @Test("One that does not is not, and its own bytes are used")
    func other() throws {
      let stub = try Stub()
      stub.set("blob", 1)
      let session = try stub.session().sparse
      let layout = try session.layout()
      #expect(layout == nil)
      let shape = try SparseShape(outputs: 64, inputs: 128, type: .int8)
      let sample = SampleWeight(shape, seed: 1, on: .automatic)
      let before = stub.count(of: "cusparseLtSpMMACompress2")
      let weight = try SparseWeight(sample.compressed, shape: shape, layout: layout, session)
      #expect(stub.count(of: "cusparseLtSpMMACompress2") == before + 1)
      let ours = try CuSPARSELtBlob.h100.bytes(of: sample.compressed)
      #expect(try weight.bytes() != ours.withUnsafeBytes { Array($0) })
      #expect(throws: Never.self) { try ProductVerification(session) }
    }

    @Test(
      "A weight brought over in a known layout is what the library makes of it",
      arguments: [ScalarType.int8, .float16, .bfloat16])
    func direct(type: ScalarType) throws {
      let stub = try Stub()
      let session = try stub.session().sparse
      let shape = try SparseShape(outputs: 96, inputs: 160, type: type)
      let sample = SampleWeight(shape, seed: 5, on: .automatic)
      let theirs = try SparseWeight(sample.compressed, shape: shape, layout: nil, session)
      let calls = stub.count(of: "cusparseLtSpMMACompress2")
      let ours = try SparseWeight(sample.compressed, shape: shape, layout: .h100, session)
      #expect(stub.count(of: "cusparseLtSpMMACompress2") == calls)
      #expect(try ours.bytes() == theirs.bytes())
    }
  }
}

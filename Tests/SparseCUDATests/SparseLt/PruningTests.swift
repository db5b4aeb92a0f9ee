import SparseCore
import Testing

@testable import SparseCUDA

extension WithStub {
  @Suite struct PruningTests {
    @Test(
      "What the library prunes is 2:4 by our check, and a dense weight is by neither",
      arguments: DevicePruning.allCases, [ScalarType.int8, .float16, .bfloat16])
    func prunes(method: DevicePruning, type: ScalarType) throws {
      let session = try Stub().session()
      let shape = try SparseShape(outputs: 96, inputs: 64, type: type)
      let dense = try RandomBytes(shape.type, seed: 3).buffer(shape.denseBytes, on: session.device)
      let pruned = try DeviceBuffer(byteCount: shape.denseBytes, on: session.device)
      #expect(try !session.sparse.isSparse(dense, shape: shape))
      try session.sparse.prune(dense, shape: shape, by: method, into: pruned)
      #expect(try session.sparse.isSparse(pruned, shape: shape))
      let stored = stored(try pruned.bytes(shape.denseBytes), shape)
      #expect(throws: Never.self) { try Compressed24(exactly: stored) }
    }

    @Test("Strip pruning keeps what magnitude pruning keeps")
    func strip() throws {
      let session = try Stub().session()
      let shape = try SparseShape(outputs: 32, inputs: 64, type: .float16)
      let buffer = try RandomBytes(shape.type, seed: 3).buffer(shape.denseBytes, on: session.device)
      let weight = Matrix(stored(try buffer.bytes(shape.denseBytes), shape))
      try session.sparse.prune(buffer, shape: shape, by: .strip, into: buffer)
      let pruned = Matrix(stored(try buffer.bytes(shape.denseBytes), shape))
      let sizes = Matrix(rows: weight.rows, columns: weight.columns, weight.values.map(abs))
      let mask = try Mask24(keepingLargest: sizes)
      #expect(pruned == mask.applied(to: weight))
    }

    private func stored(_ bytes: [UInt8], _ shape: SparseShape) -> StoredMatrix {
      let view = ByteView(copying: bytes)
      guard shape.type != .int8 else {
        let grid = Int8Grid(
          rows: shape.outputs, columns: shape.inputs,
          scales: [Float](repeating: 1, count: shape.outputs))
        return StoredMatrix(codes: view, on: grid)
      }
      return StoredMatrix(
        rows: shape.outputs, columns: shape.inputs, type: shape.type.scalarType ?? .float16,
        bytes: view)
    }
  }
}

import SparseCore
import Testing

@testable import SparseCUDA

extension WithStub {
  @Suite struct ProductTests {
    @Test("Sparse products are the CPU's, at rows that no tile divides")
    func sparse() throws {
      let verification = try ProductVerification(Stub().session().sparse)
      #expect(verification.products == 3 * ProductVerification.rows.count)
      #expect(verification.largestShareOfBound < 1)
      #expect(verification.largestShareOfBound > 0)
    }

    @Test(
      "Dense products are the CPU's",
      arguments: [
        (DeviceType.int8, DeviceType.int32), (.float16, .float16), (.bfloat16, .bfloat16),
      ],
      [1, 7, 33])
    func dense(types: (DeviceType, DeviceType), rows: Int) throws {
      let stub = try Stub()
      let session = try stub.session()
      let (outputs, inputs) = (40, 72)
      let product = DenseProduct(
        rows: rows, outputs: outputs, inputs: inputs, type: types.0, result: types.1)
      let numbers = RandomBytes(types.0)
      let weight = try numbers.buffer(product.weightBytes, on: session.device)
      let x = try numbers.buffer(product.inputBytes, on: session.device)
      let y = try DeviceBuffer(byteCount: product.outputBytes, on: session.device)
      let library = try session.dense()
      var plan = try DensePlan(product, library)
      for kernel in 0..<plan.proposals {
        plan.choose(kernel)
        try y.clear()
        try plan.multiply(x, weight, into: y)
        let (left, right) = (
          try numbers64(x, rows * inputs, types.0), try numbers64(weight, outputs * inputs, types.0)
        )
        let found = try numbers64(y, rows * outputs, types.1)
        for row in 0..<rows {
          for output in 0..<outputs {
            let terms = (0..<inputs).map { left[row * inputs + $0] * right[output * inputs + $0] }
            let sum = terms.reduce(0, +)
            let size = terms.map(abs).reduce(0, +)
            let roundoff = types.1 == .bfloat16 ? 0x1p-8 : types.1 == .float16 ? 0x1p-11 : 0
            let bound =
              types.1 == .int32 ? 0 : Double(inputs) * 0x1p-23 * size + roundoff * abs(sum)
            #expect(abs(found[row * outputs + output] - sum) <= bound)
          }
        }
      }
    }

    /// A buffer's numbers, exactly.
    private func numbers64(
      _ buffer: borrowing DeviceBuffer, _ count: Int, _ type: DeviceType
    ) throws -> [Double] {
      switch type {
      case .int32: return try buffer.integers(count).map(Double.init)
      case .int8: return try buffer.bytes(count).map { Double(Int8(bitPattern: $0)) }
      case .float16, .bfloat16:
        let bytes = ByteView(copying: try buffer.bytes(2 * count))
        let stored = StoredMatrix(
          rows: 1, columns: count, type: type.scalarType ?? .float16, bytes: bytes)
        return Matrix(stored).values.map(Double.init)
      }
    }
  }
}

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
      "INT8 gives whole sums, or sums with a scale in a smaller format",
      arguments: [DeviceType.int32, .int8, .float16, .bfloat16])
    func results(result: DeviceType) throws {
      let stub = try Stub()
      let session = try stub.session()
      let shape = try SparseShape(outputs: 64, inputs: 96, type: .int8)
      let product = try SparseProduct(shape, rows: 21, result: result)
      let sample = SampleWeight(shape, seed: 4, on: .automatic)
      let activations = SampleActivations(product, seed: 6, on: .automatic)
      let weight = try SparseWeight(sample.compressed, shape: shape, layout: nil, session.sparse)
      let x = try DeviceBuffer(copying: activations.bytes, on: session.device)
      let y = try DeviceBuffer(byteCount: product.outputBytes, on: session.device)
      let scale: Float = result == .int32 ? 1 : 0x1p-10
      try SparsePlan(product, session.sparse).multiply(x, weight, into: y, scale: scale)
      let sums = activations.product(with: sample, on: .automatic).product.values
      let found = try y.numbers(0..<sums.count, result)
      for (value, sum) in zip(found, sums) {
        let exact = Double(sum) * Double(scale)
        switch result {
        case .int32: #expect(value == exact)
        case .int8: #expect(value == max(-128, min(127, exact.rounded(.toNearestOrEven))))
        case .float16, .bfloat16:
          #expect(abs(value - exact) <= abs(exact) * (result == .float16 ? 0x1p-11 : 0x1p-8))
        }
      }
      #expect(stub.violations == [])
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
      let product = try #require(
        DenseProduct(
          rows: rows, outputs: outputs, inputs: inputs, type: types.0, result: types.1))
      let weight = try RandomBytes(types.0, seed: 1)
        .buffer(product.weightBytes, on: session.device)
      let x = try RandomBytes(types.0, seed: 2).buffer(product.inputBytes, on: session.device)
      let y = try DeviceBuffer(byteCount: product.outputBytes, on: session.device)
      let library = try session.dense()
      var plan = try DensePlan(product, library)
      #expect(plan.proposals.count > 1)
      for kernel in plan.proposals {
        plan.choose(kernel)
        try y.clear()
        try plan.multiply(x, weight, into: y)
        let (left, right) = (
          try x.numbers(0..<rows * inputs, types.0),
          try weight.numbers(0..<outputs * inputs, types.0)
        )
        let found = try y.numbers(0..<rows * outputs, types.1)
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
  }
}

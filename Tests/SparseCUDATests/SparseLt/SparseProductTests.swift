import SparseCUDA
import SparseCore
import Testing

@Suite struct SparseProductTests {
  @Test(
    "Shapes that cuSPARSELt refuses are refused before it is asked",
    arguments: [
      (ScalarType.float16, 16, 16, true), (.float16, 24, 16, false), (.bfloat16, 16, 40, false),
      (.bfloat16, 48, 80, true), (.int8, 32, 64, true), (.int8, 16, 64, false),
      (.int8, 32, 48, false), (.float32, 32, 32, false),
    ])
  func shapes(type: ScalarType, outputs: Int, inputs: Int, isTaken: Bool) {
    let shape = try? SparseShape(outputs: outputs, inputs: inputs, type: type)
    #expect((shape != nil) == isTaken)
  }

  @Test("The reason names the sizes and what they must be multiples of")
  func reasons() {
    let obstacle = SparseObstacle.shape(
      outputs: 16, inputs: 64, multipleOfOutputs: 32, multipleOfInputs: 32)
    #expect(throws: SparseProductError.shape(obstacle)) {
      try SparseShape(outputs: 16, inputs: 64, type: .int8)
    }
    #expect(SparseProductError.shape(obstacle).description.contains("16 × 64"))
    #expect(throws: SparseProductError.type(.float32)) {
      try SparseShape(outputs: 32, inputs: 32, type: .float32)
    }
  }

  @Test("Results have the weight's format, and four are possible for INT8")
  func results() throws {
    let int8 = try SparseShape(outputs: 64, inputs: 64, type: .int8)
    let half = try SparseShape(outputs: 64, inputs: 64, type: .float16)
    #expect(try SparseProduct(int8, rows: 1).result == .float16)
    #expect(try SparseProduct(half, rows: 1).result == .float16)
    for result in DeviceType.allCases {
      #expect(try SparseProduct(int8, rows: 1, result: result).result == result)
      guard result != .float16 else { continue }
      #expect(throws: SparseProductError.result(result, of: .float16, possible: [.float16])) {
        try SparseProduct(half, rows: 1, result: result)
      }
    }
    #expect(throws: SparseProductError.rows(0)) { try SparseProduct(half, rows: 0) }
  }

  @Test(
    "Rows are filled up to what kernels take", arguments: [(1, 16, 8), (17, 32, 24), (8, 16, 8)])
  func padding(rows: Int, int8Rows: Int, halfRows: Int) throws {
    let int8 = try SparseShape(outputs: 96, inputs: 64, type: .int8)
    let product = try SparseProduct(int8, rows: rows, result: .int32)
    #expect(product.paddedRows == int8Rows)
    #expect(product.inputBytes == int8Rows * 64)
    #expect(product.outputBytes == int8Rows * 96 * 4)
    let half = try SparseShape(outputs: 96, inputs: 64, type: .bfloat16)
    #expect(try SparseProduct(half, rows: rows).paddedRows == halfRows)
  }
}

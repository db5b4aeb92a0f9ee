import SparseCore
import TestSupport
import Testing

@Suite struct RowSourceTests {
  /// tokens, inputs, outputs: few and many of each, around a panel of 48.
  static let shapes: [(Int, Int, Int)] = [
    (0, 8, 8), (3, 0, 5), (1, 1, 1), (5, 16, 47), (7, 20, 48), (9, 64, 49), (150, 33, 130),
  ]

  @Test(arguments: KernelSet.available, shapes)
  func productsHaveTheBitsOfAPackedWeight(kernels: KernelSet, shape: (Int, Int, Int)) {
    let (tokens, inputs, outputs) = shape
    let x = randomMatrix(tokens, inputs, seed: 1)
    for type in [ScalarType.float32, .float16, .bfloat16] {
      let stored = StoredMatrix(randomMatrix(outputs, inputs, seed: 2), as: type)
      for threads in [1, 3] {
        let compute = Compute(kernels: kernels, threads: threads)
        let expected = bits(linear(x, PackedWeight(stored, on: compute), on: compute).values)
        let source = RowSource(stored)
        #expect(bits(linear(x, source, on: compute).values) == expected)
        #expect(
          bits(linear(x, PackedWeight(source, on: compute), on: compute).values) == expected)
      }
    }
  }

  @Test func rowsComeInOrderAndAreThoseOfTheMatrix() {
    let (a, b) = (randomMatrix(101, 12, seed: 3), randomMatrix(101, 12, seed: 4))
    let difference = RowSource(a).minus(RowSource(StoredMatrix(b))).map { rows, _ in
      rows.scaled(columns: [Float](repeating: 2, count: 12))
    }
    let expected = a.minus(b).scaled(columns: [Float](repeating: 2, count: 12))
    for count in [1, 48, 100, 101, 1000] {
      var values: [Float] = []
      var next = 0
      difference.forEach(count, on: .automatic) { range, rows in
        #expect(range.lowerBound == next && range.count <= count)
        next = range.upperBound
        values += rows.values
      }
      #expect(values == expected.values)
    }
  }

  @Test func batchesAreWholePanelsAndAtLeastOne() {
    #expect(RowSource.rows(inBytes: 0, columns: 100) == 48)
    #expect(RowSource.rows(inBytes: 4 * 48 * 100 * 3 + 5, columns: 100) == 144)
    #expect(RowSource.rows(inBytes: 1 << 20, columns: 0) > 0)
  }
}

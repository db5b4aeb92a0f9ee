import SparseCore
import TestSupport
import Testing

@Suite struct LinearTests {
  /// tokens, inputs, outputs: empty, single, around one register tile and one panel, and across blocks.
  static let shapes: [(Int, Int, Int)] = [
    (0, 8, 8), (3, 0, 5), (4, 8, 0), (1, 1, 1), (2, 3, 4), (3, 10, 300), (5, 16, 31), (6, 17, 47),
    (7, 15, 48), (8, 14, 49), (9, 64, 63), (11, 20, 97), (12, 384, 5), (13, 385, 20), (9, 770, 20),
    (521, 3, 20),
  ]

  @Test(arguments: KernelSet.available, shapes)
  func productMatchesReference(kernels: KernelSet, shape: (Int, Int, Int)) {
    let (tokens, inputs, outputs) = shape
    let x = randomMatrix(tokens, inputs, seed: 1)
    let weight = randomMatrix(outputs, inputs, seed: 2)
    let compute = Compute(kernels: kernels, threads: 2)
    let packed = PackedWeight(weight, on: compute)
    expectClose(linear(x, packed, on: compute).values, referenceProduct(x, weight), "\(shape)")

    let start = randomMatrix(tokens, outputs, seed: 3)
    var y = start
    addLinear(x, packed, to: &y, on: compute)
    expectClose(y.values, referenceProduct(x, weight, start: start), "added, \(shape)")
  }

  @Test(arguments: KernelSet.available)
  func bitsDependOnNeitherThreadsNorNeighbours(kernels: KernelSet) {
    let x = randomMatrix(531, 300, seed: 4)
    let weight = randomMatrix(100, 300, seed: 5)
    let one = Compute(kernels: kernels, threads: 1)
    let whole = linear(x, PackedWeight(weight, on: one), on: one)
    for threads in [2, 3, 7] {
      let many = Compute(kernels: kernels, threads: threads)
      let again = linear(x, PackedWeight(weight, on: many), on: many)
      #expect(bits(again.values) == bits(whole.values), "\(threads) threads")
    }
    let packed = PackedWeight(weight, on: one)
    for range in [0..<1, 5..<7, 100..<113, 500..<531] {
      let part = linear(rows(x, range), packed, on: one)
      #expect(bits(part.values) == bits(rows(whole, range).values), "rows \(range)")
    }
    let lastOutputs = linear(x, PackedWeight(rows(weight, 67..<100), on: one), on: one)
    for token in [0, 17, 530] {
      #expect(
        bits(Array(row(lastOutputs, token)))
          == bits(Array(row(whole, token)[(token * 100 + 67)...])))
    }
  }

  /// A chain may be cut at any input: the second part goes on from the first part's outputs.
  @Test(arguments: KernelSet.available, [1, 255, 256, 299])
  func chainContinuesWhereItWasCut(kernels: KernelSet, cut: Int) {
    let compute = Compute(kernels: kernels, threads: 1)
    let x = randomMatrix(14, 300, seed: 6)
    let weight = randomMatrix(35, 300, seed: 7)
    func columns(_ m: Matrix, _ range: Range<Int>) -> Matrix {
      Matrix(
        rows: m.rows, columns: range.count, (0..<m.rows).flatMap { r in range.map { m[r, $0] } })
    }
    let whole = linear(x, PackedWeight(weight, on: compute), on: compute)
    var parts = linear(
      columns(x, 0..<cut), PackedWeight(columns(weight, 0..<cut), on: compute), on: compute)
    addLinear(
      columns(x, cut..<300), PackedWeight(columns(weight, cut..<300), on: compute), to: &parts,
      on: compute)
    #expect(bits(parts.values) == bits(whole.values))
  }

  @Test(arguments: KernelSet.available, ScalarType.floatingPoint)
  func storedWeightsGiveTheSameProduct(kernels: KernelSet, type: ScalarType) {
    let compute = Compute(kernels: kernels, threads: 2)
    for (tokens, inputs, outputs) in [
      (1, 1, 1), (1, 37, 70), (4, 64, 33), (5, 100, 65), (40, 67, 31),
    ] {
      let bytes = randomMatrix(outputs, inputs, seed: 8).storedBytes(as: type, on: compute)
      let stored = StoredMatrix(
        rows: outputs, columns: inputs, type: type, bytes: ByteView(copying: bytes))
      let exact = Matrix(stored, on: compute)
      let x = randomMatrix(tokens, inputs, seed: 9)
      expectClose(linear(x, stored, on: compute).values, referenceProduct(x, exact), "\(type)")
      let packed = linear(x, PackedWeight(stored, on: compute), on: compute)
      expectClose(packed.values, referenceProduct(x, exact), "\(type)")
      if tokens > 4 { #expect(bits(linear(x, stored, on: compute).values) == bits(packed.values)) }
      for threads in [1, 3, 7] {
        let many = Compute(kernels: kernels, threads: threads)
        #expect(
          bits(linear(x, stored, on: many).values) == bits(linear(x, stored, on: compute).values))
      }
    }
  }
}

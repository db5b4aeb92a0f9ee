import SparseCore
import TestSupport
import Testing

/// Products with weights as they are stored: those of the packed weight, and of a compressed one those of the whole.
@Suite(.timeLimit(.minutes(20))) struct StoredLinearTests {
  static let columns = [4, 8, 12, 60, 64, 68, 576, 1028]

  /// A grid of other scales in each group of columns.
  private func grid(_ rows: Int, _ columns: Int, groupSize: Int) -> Int8Grid {
    let count = rows * (groupSize == columns ? 1 : columns / groupSize)
    return Int8Grid(
      rows: rows, columns: columns, groupSize: groupSize,
      scales: randomFloats(count, seed: 1).map { abs($0) + 0.01 })
  }

  /// A 2:4 weight with scales that are not 1.
  private func weight(_ rows: Int, _ columns: Int, _ type: ScalarType, groupSize: Int? = nil)
    -> StoredMatrix
  {
    let whole = Matrix.pruned(rows: rows, columns: columns, seed: 2).stored(type)
    guard type == .int8 else { return whole }
    return StoredMatrix(
      codes: whole.bytes, on: grid(rows, columns, groupSize: groupSize ?? columns))
  }

  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func compressedWeightsGiveTheBitsOfWholeOnes(kernels: KernelSet, type: ScalarType) throws {
    for (index, columns) in Self.columns.enumerated() {
      let whole = weight([5, 17, 50][index % 3], columns, type)
      let compressed = try Compressed24(exactly: whole)
      for tokens in [0, 1, 3, 4, 5, 20] {
        let x = randomMatrix(tokens, columns, seed: 3)
        let one = Compute(kernels: kernels, threads: 1)
        let product = linear(x, compressed, on: one)
        if tokens <= 4 {
          expectClose(product.values, referenceProduct(x, Matrix(whole)), "\(columns), \(tokens)")
        }
        #expect(bits(product.values) == bits(linear(x, whole, on: one).values))
        let packed = linear(x, PackedWeight(whole, on: one), on: one)
        #expect(
          bits(linearAsPacked(x, .compressed(compressed), on: one).values) == bits(packed.values))
        if tokens > 4 { #expect(bits(product.values) == bits(packed.values)) }
        let many = Compute(kernels: kernels, threads: tokens % 2 == 0 ? 2 : 5)
        #expect(bits(linear(x, compressed, on: many).values) == bits(product.values))
      }
    }
  }

  /// Groups that begin within a byte of the mask, too.
  @Test(arguments: KernelSet.available, [(8, 4), (24, 12), (72, 36), (128, 64), (96, 8)])
  func everyGroupHasItsScale(kernels: KernelSet, shape: (columns: Int, groupSize: Int)) throws {
    let whole = weight(53, shape.columns, .int8, groupSize: shape.groupSize)
    let compressed = try Compressed24(exactly: whole)
    for threads in [1, 2, 5] {
      let compute = Compute(kernels: kernels, threads: threads)
      for tokens in [1, 3, 6] {
        let x = randomMatrix(tokens, shape.columns, seed: 4)
        let product = linear(x, compressed, on: compute)
        expectClose(product.values, referenceProduct(x, Matrix(whole)), "\(tokens)")
        #expect(bits(product.values) == bits(linear(x, whole, on: compute).values))
        let packed = linear(x, PackedInt8Weight(whole, on: compute), on: compute)
        #expect(int8Linear(x, .compressed(compressed), on: compute) == packed)
        #expect(int8Linear(x, .whole(whole), on: compute) == packed)
      }
    }
  }

  @Test(arguments: KernelSet.available, columns)
  func integerProductsAreThoseOfPackedWeights(kernels: KernelSet, columns: Int) throws {
    let whole = weight(53, columns, .int8)
    let compressed = try Compressed24(exactly: whole)
    let one = Compute(kernels: kernels, threads: 1)
    let packed = PackedInt8Weight(whole, on: one)
    for tokens in [0, 1, 2, 3, 4, 7, 20, 33] {
      let x = randomMatrix(tokens, columns, seed: 5)
      let wanted = bits(linear(x, packed, on: one).values)
      let compute = Compute(kernels: kernels, threads: [1, 2, 5][tokens % 3])
      #expect(bits(int8Linear(x, .compressed(compressed), on: compute).values) == wanted)
      #expect(bits(int8Linear(x, .whole(whole), on: compute).values) == wanted)
    }
  }

  @Test func integerProductsNeedInt8() async {
    await #expect(processExitsWith: .failure) {
      let weight = StoredMatrix(Matrix(rows: 1, columns: 4))
      _ = int8Linear(Matrix(rows: 1, columns: 4), .whole(weight))
    }
  }
}

import SparseCore
import TestSupport
import Testing

@Suite struct StatisticsTests {
  @Test(arguments: KernelSet.available, [(0, 5), (1, 1), (3, 31), (9, 32), (10, 33), (300, 70)])
  func gramMatchesReference(kernels: KernelSet, shape: (Int, Int)) {
    let (tokens, inputs) = shape
    let x = randomMatrix(tokens, inputs, seed: 1)
    var gram = Gram(inputs: inputs)
    gram.add(x, on: Compute(kernels: kernels, threads: 2))
    #expect(gram.tokens == tokens)
    let columns = (0..<inputs).map { column in (0..<tokens).map { x[$0, column] } }
    let expected = (0..<inputs * inputs).map { place in
      var sum = exactDot(columns[place / inputs], columns[place % inputs])
      sum.value /= Double(max(1, tokens))
      sum.magnitude /= Double(max(1, tokens))
      sum.terms += 2  // the scaling rounds twice
      return sum
    }
    expectClose(gram.matrix.values, expected, "\(shape)")
    for (norm, column) in zip(gram.norms, columns) {
      let exact = exactDot(column, column).value.squareRoot()
      #expect(abs(Double(norm) - exact) <= Double(tokens + 2) * Double(Float.ulpOfOne) * exact)
    }
  }

  /// Two blocks and a bit, so that finished blocks are added up too.
  @Test(arguments: KernelSet.available)
  func gramBitsDependOnNeitherThreadsNorChunks(kernels: KernelSet) {
    let tokens = 2 * Gram.blockTokens + 100
    let x = randomMatrix(tokens, 37, seed: 2)
    var whole = Gram(inputs: 37)
    whole.add(x, on: Compute(kernels: kernels, threads: 1))
    for threads in [2, 3, 7] {
      var gram = Gram(inputs: 37)
      for chunk in [0..<1, 1..<4000, 4000..<4200, 4200..<8192, 8192..<tokens] {
        gram.add(rows(x, chunk), on: Compute(kernels: kernels, threads: threads))
      }
      #expect(bits(gram.matrix.values) == bits(whole.matrix.values), "\(threads) threads")
      #expect(gram.norms == whole.norms)
    }
  }

  @Test(arguments: KernelSet.available)
  func gramIsSymmetric(kernels: KernelSet) {
    var gram = Gram(inputs: 70)
    gram.add(randomMatrix(50, 70, seed: 3), on: Compute(kernels: kernels, threads: 2))
    let matrix = gram.matrix
    for i in 0..<70 { for j in 0..<i { #expect(matrix[i, j] == matrix[j, i]) } }
  }

  /// Squares of 20-bit numbers are exact in float64, and so are sums of a few hundred of them.
  @Test(arguments: KernelSet.available, [(0, 3), (1, 1), (5, 63), (300, 64), (33, 65), (20, 150)])
  func normsAreExact(kernels: KernelSet, shape: (Int, Int)) {
    let (tokens, inputs) = shape
    let x = randomMatrix(tokens, inputs, seed: 4)
    let expected = (0..<inputs).map { column in
      Float(
        (0..<tokens).reduce(0.0) { $0 + Double(x[$1, column]) * Double(x[$1, column]) }.squareRoot()
      )
    }
    for threads in [1, 2, 3, 7] {
      var norms = InputNorms(inputs: inputs)
      for chunk in unevenChunks(tokens) {
        norms.add(rows(x, chunk), on: Compute(kernels: kernels, threads: threads))
      }
      #expect(norms.norms == expected)
      #expect(norms.tokens == tokens)
    }
  }
}

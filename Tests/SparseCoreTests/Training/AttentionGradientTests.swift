import SparseCore
import TestSupport
import Testing

@Suite struct AttentionGradientTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var sequences = 1
    var length: Int
    var heads = 2
    var shared = 1  // key/value heads
    var width: Int
    var testDescription: String { "\(sequences)×\(length), \(heads)/\(shared)×\(width)" }
  }
  /// Around the blocks of 48 queries and the panels of 48 keys and columns.
  static let small = [
    Shape(length: 1, width: 4), Shape(length: 1, width: 80),
    Shape(sequences: 3, length: 5, heads: 4, shared: 2, width: 4),
    Shape(sequences: 2, length: 3, heads: 3, shared: 3, width: 16),
    Shape(length: 47, heads: 1, width: 4), Shape(length: 49, heads: 2, width: 4),
  ]
  static let large =
    [4, 16, 48, 64, 80].flatMap { width in
      [47, 48, 49].map { Shape(sequences: 2, length: $0, heads: 4, shared: 2, width: width) }
    } + [
      Shape(length: 100, width: 4), Shape(length: 100, heads: 6, shared: 2, width: 16),
      Shape(sequences: 2, length: 100, width: 48), Shape(length: 100, heads: 3, width: 64),
      Shape(length: 100, heads: 1, width: 80),
    ]

  /// How far each gradient may be off.
  ///
  /// A score errs by (width + 2) ulp of its terms' magnitudes, so a share P by twice that of its size, and by the rounding
  /// of the exponential and of the sum. What follows is built of products and sums of P: of as many ulp as there are terms,
  /// in shares of the same formulas with magnitudes in place of values, dP − ΣP dP becoming |dP| + ΣP |dP|.
  private func bounds(
    _ shape: Shape, _ q: Matrix64, _ k: Matrix64, _ v: Matrix64, _ gradient: Matrix64
  ) -> [Matrix64] {
    let (width, root) = (shape.width, Double(shape.width).squareRoot())
    var result = [q, k, v].map { Matrix64(rows: $0.rows, columns: $0.columns) }
    for head in 0..<shape.heads {
      let (mine, theirs) = (head * width, head / (shape.heads / shape.shared) * width)
      let shares = Reference.attentionShares(
        queries: q, keys: k, sequenceLength: shape.length, heads: shape.heads,
        keyValueHeads: shape.shared, head: head)
      for row in 0..<q.rows {
        let (first, seen) = (row - row % shape.length, row % shape.length + 1)
        func size(_ a: Matrix64, _ b: Matrix64, _ key: Int) -> Double {
          var sum = 0.0
          for column in 0..<width {
            sum += abs(a[row, mine + column] * b[first + key, theirs + column])
          }
          return sum
        }
        let changes: [Double] = (0..<seen).map { size(gradient, v, $0) }
        let mean: Double = (0..<seen).reduce(0) { $0 + shares[row, $1] * changes[$1] }
        let score: Double = (0..<seen).map { size(q, k, $0) }.max() ?? 0
        let scoreError = Double(width + 2) * score / root
        let shareError = ulp * (2 * scoreError + Double(seen + 8))
        // As many terms as a key's and a value's gradient has.
        let chain = ulp * Double(shape.length * shape.heads)
        let error = 2 * shareError + ulp * Double(width + seen + 8) + chain
        for key in 0..<seen {
          let change = error * shares[row, key] * (changes[key] + mean) / root
          for column in 0..<width {
            result[0][row, mine + column] += change * abs(k[first + key, theirs + column])
            result[1][first + key, theirs + column] += change * abs(q[row, mine + column])
            result[2][first + key, theirs + column] +=
              (shareError + chain) * shares[row, key] * abs(gradient[row, mine + column])
          }
        }
      }
    }
    return result
  }

  @Test(arguments: isOptimized ? small + large : small)
  func gradientsAreTheDerivatives(shape: Shape) {
    let tokens = shape.sequences * shape.length
    let (width, keyWidth) = (shape.heads * shape.width, shape.shared * shape.width)
    let inputs = [
      randomMatrix(tokens, width, seed: 1), randomMatrix(tokens, keyWidth, seed: 2),
      randomMatrix(tokens, keyWidth, seed: 3),
    ]
    let gradient = randomMatrix(tokens, width, seed: 4)
    let exact = inputs.map { Matrix64($0) }
    let numerics = (0..<3).map { (input: Int) -> NumericGradient in
      NumericGradient(
        at: exact[input], weights: Matrix64(gradient), singles: isOptimized ? 6 : 2,
        seed: UInt64(5 + input)
      ) { (moved: Matrix64) -> [Double] in
        var parts = exact
        parts[input] = moved
        return Reference.causalAttention(
          queries: parts[0], keys: parts[1], values: parts[2], sequenceLength: shape.length,
          heads: shape.heads, keyValueHeads: shape.shared
        ).values
      }
    }
    let bounds = bounds(shape, exact[0], exact[1], exact[2], Matrix64(gradient))
    onAllKernels("\(shape)") { compute in
      let result = causalAttentionGradient(
        queries: inputs[0], keys: inputs[1], values: inputs[2], gradient: gradient,
        sequenceLength: shape.length, heads: shape.heads, keyValueHeads: shape.shared,
        headWidth: shape.width, on: compute)
      return [result.queries, result.keys, result.values]
    } check: { results in
      for (index, name) in ["queries", "keys", "values"].enumerated() {
        if let fault = numerics[index].fault(in: results[index], bounds: bounds[index]) {
          return "\(name) \(fault)"
        }
      }
      return nil
    }
  }

  /// Sequences know nothing of each other.
  @Test(arguments: KernelSet.available)
  func sequencesTogetherHaveTheGradientsOfEachAlone(kernels: KernelSet) {
    let (length, width) = (isOptimized ? 50 : 6, 8)
    let (q, gradient) = (
      randomMatrix(3 * length, 2 * width, seed: 1), randomMatrix(3 * length, 2 * width, seed: 2)
    )
    let (k, v) = (
      randomMatrix(3 * length, width, seed: 3), randomMatrix(3 * length, width, seed: 4)
    )
    func result(_ range: Range<Int>) -> [Matrix] {
      let result = causalAttentionGradient(
        queries: rows(q, range), keys: rows(k, range), values: rows(v, range),
        gradient: rows(gradient, range), sequenceLength: length, heads: 2, keyValueHeads: 1,
        headWidth: width, on: Compute(kernels: kernels, threads: 2))
      return [result.queries, result.keys, result.values]
    }
    let whole = result(0..<3 * length)
    for sequence in 0..<3 {
      let range = sequence * length..<(sequence + 1) * length
      #expect(bits(result(range)) == bits(whole.map { rows($0, range) }), "sequence \(sequence)")
    }
  }

  /// Scores of hundreds neither overflow nor turn into NaN.
  @Test(arguments: KernelSet.available)
  func largeScoresStayFinite(kernels: KernelSet) {
    var (q, k) = (randomMatrix(20, 16, seed: 1), randomMatrix(20, 16, seed: 2))
    q.scale(by: 1000)
    k.scale(by: 1000)
    let result = causalAttentionGradient(
      queries: q, keys: k, values: randomMatrix(20, 16, seed: 3),
      gradient: randomMatrix(20, 16, seed: 4), sequenceLength: 20, heads: 1, keyValueHeads: 1,
      headWidth: 16, on: Compute(kernels: kernels, threads: 1))
    #expect(result.values.values.allSatisfy { $0.isFinite && abs($0) <= 20 })
    let others = result.queries.values + result.keys.values
    #expect(others.allSatisfy { $0.isFinite })
  }
}

import SparseCore
import TestSupport
import Testing

@Suite struct AttentionTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var sequences = 1
    var queries: Int
    var keys: Int
    var heads = 4
    var shared = 2  // key/value heads
    var width: Int
    var testDescription: String { "\(sequences)×\(queries)/\(keys), \(heads)/\(shared)×\(width)" }
  }
  static let shapes = [
    Shape(queries: 1, keys: 1, width: 8), Shape(queries: 1, keys: 33, width: 16),
    Shape(sequences: 3, queries: 5, keys: 5, width: 4),
    Shape(sequences: 2, queries: 49, keys: 49, heads: 3, shared: 1, width: 12),
    Shape(queries: 50, keys: 70, heads: 2, shared: 2, width: 64),
    Shape(sequences: 2, queries: 20, keys: 31, width: 33),
    Shape(queries: 17, keys: 17, heads: 1, shared: 1, width: 128),
  ]

  private func inputs(_ shape: Shape) -> (q: Matrix, k: Matrix, v: Matrix) {
    let (rows, keyRows) = (shape.sequences * shape.queries, shape.sequences * shape.keys)
    return (
      randomMatrix(rows, shape.heads * shape.width, seed: 1),
      randomMatrix(keyRows, shape.shared * shape.width, seed: 2),
      randomMatrix(keyRows, shape.shared * shape.width, seed: 3)
    )
  }

  /// softmax(q·k / √width) v over the keys that a query sees, in float64.
  private func reference(_ shape: Shape, _ q: Matrix, _ k: Matrix, _ v: Matrix) -> [Expected] {
    var result: [Expected] = []
    for sequence in 0..<shape.sequences {
      for query in 0..<shape.queries {
        for head in 0..<shape.heads {
          let offset = head / (shape.heads / shape.shared) * shape.width
          let seen = shape.keys - shape.queries + query + 1
          func key(_ m: Matrix, _ i: Int) -> ArraySlice<Float> {
            row(m, sequence * shape.keys + i).dropFirst(offset).prefix(shape.width)
          }
          let mine = row(q, sequence * shape.queries + query).dropFirst(head * shape.width)
            .prefix(shape.width)
          let scores = (0..<seen).map {
            exactDot(mine, key(k, $0)).value / Double(shape.width).squareRoot()
          }
          let most = scores.max() ?? 0
          let weights = scores.map { Math.exponential($0 - most) }
          let total = weights.reduce(0, +)
          for column in 0..<shape.width {
            var sum = Expected(value: 0, magnitude: 0, terms: seen + shape.width + 8)
            for i in 0..<seen {
              let part = weights[i] / total * Double(key(v, i).dropFirst(column).first ?? 0)
              sum.value += part
              sum.magnitude += abs(part)
            }
            result.append(sum)
          }
        }
      }
    }
    return result
  }

  private func attention(_ s: Shape, _ q: Matrix, _ k: Matrix, _ v: Matrix, _ c: Compute) -> Matrix
  {
    causalAttention(
      queries: q, keys: k, values: v, sequenceLength: s.queries, keyLength: s.keys, heads: s.heads,
      keyValueHeads: s.shared, headWidth: s.width, on: c)
  }

  @Test(arguments: KernelSet.available, shapes)
  func attentionMatchesReference(kernels: KernelSet, shape: Shape) {
    let (q, k, v) = inputs(shape)
    let got = attention(shape, q, k, v, Compute(kernels: kernels, threads: 2))
    expectClose(got.values, reference(shape, q, k, v), "\(shape)")
    for threads in [1, 3, 7] {
      let again = attention(shape, q, k, v, Compute(kernels: kernels, threads: threads))
      #expect(bits(again.values) == bits(got.values), "\(threads) threads")
    }
  }

  /// The last queries alone, against the same keys, give the bits that they gave among the others.
  @Test(arguments: KernelSet.available, [1, 2, 47, 48, 49, 100])
  func resultsDoNotDependOnTheOtherQueries(kernels: KernelSet, last: Int) {
    let shape = Shape(queries: 101, keys: 101, heads: 2, shared: 1, width: 24)
    let (q, k, v) = inputs(shape)
    let compute = Compute(kernels: kernels, threads: 2)
    let whole = attention(shape, q, k, v, compute)
    let part = attention(
      Shape(queries: last, keys: 101, heads: 2, shared: 1, width: 24),
      rows(q, 101 - last..<101), k, v, compute)
    #expect(bits(part.values) == bits(rows(whole, 101 - last..<101).values))
  }

  @Test(arguments: KernelSet.available, shapes)
  func decodingMatchesReference(kernels: KernelSet, shape: Shape) {
    let shape = Shape(
      sequences: shape.sequences, queries: 1, keys: shape.keys, heads: shape.heads,
      shared: shape.shared, width: shape.width)
    let (q, k, v) = inputs(shape)
    let stride = shape.shared * shape.width
    k.values.withUnsafeBufferPointer { keys in
      v.values.withUnsafeBufferPointer { values in
        let caches = (0..<shape.sequences).map {
          CachedRows(
            keys: keys.start + $0 * shape.keys * stride,
            values: values.start + $0 * shape.keys * stride, count: shape.keys)
        }
        for threads in [1, 2, 7] {
          let got = decodeAttention(
            queries: q, caches: caches, stride: stride, heads: shape.heads,
            keyValueHeads: shape.shared, headWidth: shape.width,
            on: Compute(kernels: kernels, threads: threads))
          expectClose(got.values, reference(shape, q, k, v), "\(shape)")
        }
      }
    }
  }

  /// Scores of hundreds neither overflow nor turn into NaN.
  @Test(arguments: KernelSet.available)
  func largeScoresStayFinite(kernels: KernelSet) {
    let shape = Shape(queries: 20, keys: 20, heads: 1, shared: 1, width: 16)
    var (q, k, v) = inputs(shape)
    q = Matrix(rows: 20, columns: 16, q.values.map { $0 * 1000 })
    k = Matrix(rows: 20, columns: 16, k.values.map { $0 * 1000 })
    let got = attention(shape, q, k, v, Compute(kernels: kernels, threads: 1))
    #expect(got.values.allSatisfy { $0.isFinite && abs($0) <= 1 })
  }
}

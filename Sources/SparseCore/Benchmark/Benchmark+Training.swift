/// The way back.
extension Benchmark {
  static func weightGradient(_ tokens: Int, _ outputs: Int, _ inputs: Int) -> Case {
    Case(
      name: "weight-gradient", shape: "\(tokens) tokens, \(inputs) -> \(outputs)", limit: .peak
    ) { compute in
      let (gradient, x) = (someMatrix(tokens, outputs), someMatrix(tokens, inputs))
      nonisolated(unsafe) var sum = Matrix(rows: outputs, columns: inputs)
      return Work(flops: 2 * Double(tokens * outputs * inputs)) {
        addWeightGradient(of: gradient, x, to: &sum, on: compute)
      }
    }
  }

  /// Counts five products of causal scores, one of which computes the shares again.
  static func attentionGradient(_ length: Int) -> Case {
    Case(
      name: "attention-gradient",
      shape: "2048 tokens in sequences of \(length), 9/3 heads of 64", limit: .peak
    ) { compute in
      let (q, k, v) = (someMatrix(2048, 576), someMatrix(2048, 192), someMatrix(2048, 192))
      let gradient = someMatrix(2048, 576)
      return Work(flops: 5 * 2 * Double(2048 * (length + 1) / 2 * 576)) {
        _ = causalAttentionGradient(
          queries: q, keys: k, values: v, gradient: gradient, sequenceLength: length, heads: 9,
          keyValueHeads: 3, headWidth: 64, on: compute)
      }
    }
  }
}

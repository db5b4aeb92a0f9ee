internal import SparseCore

/// Logits, one row for each sequence, and the tokens chosen by them.
extension Matrix {
  /// The next token of each sequence, by its row of finite logits.
  ///
  /// - Parameters:
  ///   - temperature: what the logits are divided by; 0 takes the likeliest token.
  ///   - randoms: the random numbers of each sequence.
  func tokens(
    temperature: Double = 1, using randoms: inout [SplitMix64], on compute: Compute
  ) -> [Int32] {
    var logits = self
    if temperature > 0, temperature != 1 { logits.scale(by: Float(1 / temperature)) }
    // A temperature near 0 takes the logits beyond float32: the likeliest token is its limit.
    guard temperature > 0, logits.firstRowNotFinite(on: compute) == nil else {
      return (0..<rows).map(likeliest)
    }
    softmaxRows(&logits, on: compute)
    let drawn = Parallel.map(rows, threads: compute.threads) { [logits, randoms] row in
      var random = randoms[row]
      let token = logits.draw(row: row, using: &random)
      return (token, random)
    }
    randoms = drawn.map(\.1)
    return drawn.map(\.0)
  }

  /// The first row with NaN or infinity among its values; nil where there is none.
  func firstRowNotFinite(on compute: Compute) -> Int? {
    values.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return nil }
      nonisolated(unsafe) let values = base
      return Parallel.map(rows, threads: compute.threads) { row in
        compute.kernels.countNotFinite(columns, .float32, values + 4 * row * columns)
      }.firstIndex { $0 > 0 }
    }
  }

  /// The likeliest token of a row of logits, of equal ones the lowest id.
  private func likeliest(_ row: Int) -> Int32 {
    let start = row * columns
    var best = 0
    for id in 0..<columns where values[start + id] > values[start + best] { best = id }
    return Int32(best)
  }

  /// An index drawn from a row of probabilities.
  func draw(row: Int, using random: inout SplitMix64) -> Int32 {
    var target = random.uniform()
    let start = row * columns
    var last: Int32 = 0  // where rounding leaves the sum below 1
    for id in 0..<columns where values[start + id] > 0 {
      last = Int32(id)
      target -= Double(values[start + id])
      if target < 0 { break }
    }
    return last
  }
}

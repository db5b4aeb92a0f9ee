internal import SparseCore

/// The logits of the tokens that really come next, picked from logits that come in slices of the vocabulary.
struct TargetLogits {
  private let windows: TokenWindows
  private var logits: [Double]  // by token; a window's last one has none

  init(windows: TokenWindows) {
    self.windows = windows
    logits = [Double](repeating: 0, count: windows.ids.count)
  }

  /// Takes in a slice of the logits of neighbouring tokens, of which `first` is the first.
  mutating func add(_ logits: Matrix, of slice: Range<Int>, first: Int) {
    for row in 0..<logits.rows where !isLast(first + row) {
      let target = Int(windows.ids[first + row + 1])
      if slice.contains(target) {
        self.logits[first + row] = Double(logits[row, target - slice.lowerBound])
      }
    }
  }

  /// The negative log-likelihoods of each window's tokens 2…length, window after window.
  ///
  /// - Parameter normalisers: log Σ e^logit, for each token.
  func losses(_ normalisers: [Double]) -> [Double] {
    predicting(zip(normalisers, logits).map { $0 - $1 })
  }

  /// What is known of the tokens that have a next one, of something that is known of each.
  func predicting<Value>(_ values: [Value]) -> [Value] {
    values.indices.compactMap { isLast($0) ? nil : values[$0] }
  }

  private func isLast(_ token: Int) -> Bool { (token + 1) % windows.length == 0 }
}

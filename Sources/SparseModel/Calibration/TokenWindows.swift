/// Equally long windows of token ids: what calibration and evaluation run through a model.
public struct TokenWindows: Sendable, Equatable {
  /// The number of windows.
  public let count: Int
  /// The number of tokens in each.
  public let length: Int
  /// The token ids, window after window: `count · length` of them.
  public let ids: [Int32]

  /// Windows over ids that lie one after the other.
  public init(count: Int, length: Int, ids: [Int32]) {
    precondition(
      count >= 0 && length > 0 && ids.count == count * length,
      "TokenWindows: \(count) × \(length) needs \(count * length) ids, got \(ids.count)")
    self.count = count
    self.length = length
    self.ids = ids
  }

  /// The ids of one window.
  public subscript(window: Int) -> ArraySlice<Int32> {
    ids[window * length..<(window + 1) * length]
  }

  /// The ids of neighbouring windows.
  subscript(windows: Range<Int>) -> ArraySlice<Int32> {
    ids[windows.lowerBound * length..<windows.upperBound * length]
  }

  /// Neighbouring windows, as many at a time as hold at most `tokens` tokens, and at least one.
  func groups(ofTokens tokens: Int) -> [Range<Int>] {
    let size = max(1, tokens / length)
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

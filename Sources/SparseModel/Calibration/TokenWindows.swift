/// Equally long windows of token ids: what calibration and evaluation run through a model.
public struct TokenWindows: Sendable, Equatable {
  /// The number of windows.
  public let count: Int
  /// The number of tokens in each.
  public let length: Int
  /// The token ids, window after window: `count · length` of them.
  public let ids: [Int32]
  /// The tokens that each window of a text begins with, put before it; empty for none.
  public let startTokens: [Int32]

  /// Windows over ids that lie one after the other.
  ///
  /// - Parameter startTokens: what has been put at the start of each, among `ids`.
  public init(count: Int, length: Int, ids: [Int32], startTokens: [Int32] = []) {
    precondition(
      count >= 0 && length > 0 && ids.count == count * length,
      "TokenWindows: \(count) × \(length) needs \(count * length) ids, got \(ids.count)")
    self.count = count
    self.length = length
    self.ids = ids
    self.startTokens = startTokens
  }

  /// As many windows as a text's ids fill; the tail is dropped.
  ///
  /// - Parameter startTokens: what each window begins with, fewer than `length`.
  public init(cutting ids: [Int32], length: Int, startTokens: [Int32] = []) {
    let room = length - startTokens.count
    let starts = (0..<ids.count / room).map { $0 * room }
    self.init(of: ids, from: starts, length: length, startTokens: startTokens)
  }

  /// The windows of a text's ids that begin at the given places.
  ///
  /// - Parameter startTokens: what each window begins with, fewer than `length`.
  init(of ids: [Int32], from starts: [Int], length: Int, startTokens: [Int32]) {
    let room = length - startTokens.count
    precondition(room > 0, "TokenWindows: \(length) tokens with \(startTokens.count) before them")
    var all: [Int32] = []
    all.reserveCapacity(starts.count * length)
    for start in starts {
      all += startTokens
      all += ids[start..<start + room]
    }
    self.init(count: starts.count, length: length, ids: all, startTokens: startTokens)
  }

  /// The first windows, or all if there are fewer.
  public func first(_ count: Int) -> TokenWindows {
    let kept = min(count, self.count)
    return TokenWindows(
      count: kept, length: length, ids: Array(ids.prefix(kept * length)), startTokens: startTokens)
  }

  /// The start of every window.
  ///
  /// - Throws: ``CalibrationError/samplesTooShort(path:found:asked:)`` where windows are shorter.
  public func shortened(to length: Int, source: String) throws(CalibrationError) -> TokenWindows {
    guard length <= self.length else {
      throw .samplesTooShort(path: source, found: self.length, asked: length)
    }
    return TokenWindows(
      count: count, length: length, ids: (0..<count).flatMap { self[$0].prefix(length) })
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

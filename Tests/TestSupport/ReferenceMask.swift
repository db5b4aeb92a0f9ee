public import SparseCore

/// The slow, obvious versions that masks are tested against.
public enum Reference {
  /// Which scores are kept: the two largest of each four of a row, of equal ones the lower column.
  public static func keptByScore(_ scores: Matrix) -> [Bool] {
    var kept = [Bool](repeating: false, count: scores.rows * scores.columns)
    for start in stride(from: 0, to: kept.count, by: 4) {
      let order = (start..<start + 4).sorted { a, b in
        scores.values[a] == scores.values[b] ? a < b : scores.values[a] > scores.values[b]
      }
      for index in order.prefix(2) { kept[index] = true }
    }
    return kept
  }
}

extension Mask24 {
  /// One value a weight: whether it is kept.
  public var kept: [Bool] {
    (0..<rows).flatMap { row in (0..<columns).map { keeps(row: row, column: $0) } }
  }
}

extension Matrix {
  /// Random values, of which about one in four ties with another: small multiples of a quarter.
  public static func withTies(rows: Int, columns: Int, seed: UInt64) -> Matrix {
    var random = SplitMix64(seed: seed)
    return Matrix(
      rows: rows, columns: columns,
      (0..<rows * columns).map { _ in Float(Int.random(in: -9...9, using: &random)) / 4 })
  }
}

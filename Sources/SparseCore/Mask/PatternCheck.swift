internal import Synchronization

/// What the groups of four along the rows of a stored matrix hold.
///
/// A zero is +0.0 or −0.0. A group is 2:4 if it has at most two non-zeros and no NaN or infinity.
public struct PatternCheck: Sendable, Equatable {
  /// The number of groups.
  public private(set) var groups = 0
  /// Groups with more than two non-zeros.
  public private(set) var groupsWithMoreThanTwo = 0
  /// Groups with a NaN or an infinity among at most two non-zeros.
  public private(set) var groupsNotFinite = 0
  /// Values that are zero.
  public private(set) var zeros = 0
  /// Groups with exactly two non-zeros, by their ``Pattern24`` in the order of its cases; empty unless asked for.
  public private(set) var patterns: [Int] = []

  /// The share of values that are zero.
  public var sparsity: Double { groups == 0 ? 0 : Double(zeros) / Double(4 * groups) }

  /// Groups that are not 2:4.
  public var violations: Int { groupsWithMoreThanTwo + groupsNotFinite }

  /// Looks at a matrix.
  ///
  /// Where groups of four do not divide the columns, a row's last, shorter group counts as a violation.
  ///
  /// - Parameter countsPatterns: whether ``patterns`` is wanted; it costs a second pass.
  public init(
    _ weight: StoredMatrix, countsPatterns: Bool = false, on compute: Compute = .automatic
  ) {
    self.init(
      weight.bytes, type: weight.type, rows: weight.rows, columns: weight.columns,
      countsPatterns: countsPatterns, on: compute)
  }

  /// Looks at a matrix that is known by its bytes; of INT8 the scales do not matter here.
  public init(
    _ bytes: ByteView, type: ScalarType, rows: Int, columns: Int, countsPatterns: Bool = false,
    on compute: Compute = .automatic
  ) {
    precondition(
      bytes.count == rows * columns * type.byteCount,
      "PatternCheck: \(rows) × \(columns) \(type) needs \(rows * columns * type.byteCount) bytes, got \(bytes.count)"
    )
    groups = rows * ((columns + 3) / 4)
    let whole = columns / 4 * 4
    if countsPatterns { patterns = [Int](repeating: 0, count: Pattern24.allCases.count) }
    // Rows of whole groups follow one another without a gap, so that they can be taken in long runs.
    let run = whole == columns ? max(1, 1 << 18 / max(1, columns)) : 1
    let total = Mutex(self)
    Parallel.forEachRange(of: rows, size: run, threads: compute.threads) { range in
      guard let base = bytes.bytes.baseAddress else { return }
      let values = base + range.lowerBound * columns * type.byteCount
      let count = whole == columns ? range.count * columns : whole
      let found = compute.kernels.check24(count, type, values)
      withUnsafeTemporaryAllocation(of: Int.self, capacity: Pattern24.allCases.count) { counts in
        counts.initialize(repeating: 0)
        if countsPatterns, let place = counts.baseAddress {
          compute.kernels.addPatterns24(count, type, values, to: place)
        }
        total.withLock { $0.add(found, patterns: counts, brokenGroups: columns == whole ? 0 : 1) }
      }
    }
    self = total.withLock { $0 }
  }

  private mutating func add(
    _ found: ValueCounts, patterns counts: UnsafeMutableBufferPointer<Int>, brokenGroups: Int
  ) {
    groupsWithMoreThanTwo += found.groupsOverTwo + brokenGroups
    groupsNotFinite += found.groupsNotFinite
    zeros += found.zeros
    for index in patterns.indices { patterns[index] += counts[index] }
  }
}

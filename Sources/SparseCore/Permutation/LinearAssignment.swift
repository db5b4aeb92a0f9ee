/// A column for every row of a square matrix, no column twice, with the best possible sum.
///
/// One shortest augmenting path per row (Jonker & Volgenant 1987, Computing 38), from prices that are the
/// columns' least costs: n²/2 passes over a row at worst, far fewer as a rule. Their other preparation, in
/// which rows outbid each other for columns, takes as long here as it saves, as a pass is one kernel.
///
/// Sums are float64, so the result is best up to n roundings of the largest cost; where costs are whole
/// numbers it is best exactly. Of equally near columns the first is taken: the result is the same on every
/// kernel set, and the identity where all costs are equal.
package struct LinearAssignment: Sendable, Equatable {
  /// The column of each row.
  package let columns: [Int]

  /// The assignment with the least sum of costs, `rows × rows`, all finite.
  package init(minimizing costs: Matrix, on compute: Compute = .automatic) {
    let count = costs.rows
    precondition(
      costs.columns == count, "LinearAssignment: \(count) rows and \(costs.columns) columns")
    precondition(costs.countNotFinite(on: compute) == 0, "LinearAssignment: costs are not finite")
    guard count > 0 else {
      columns = []
      return
    }
    var paths = ShortestPaths(costs, kernels: compute.kernels)
    for row in 0..<count { paths.assign(row) }
    columns = paths.columns
  }

  /// The assignment with the largest sum of scores, `rows × rows`, all finite.
  package init(maximizing scores: Matrix, on compute: Compute = .automatic) {
    self.init(
      minimizing: Matrix(rows: scores.rows, columns: scores.columns, scores.values.map { -$0 }),
      on: compute)
  }
}

/// A partial assignment that is the best one of its rows, and the prices of columns that show it.
///
/// No edge is cheaper, its column's price taken off, than the one that its row has.
private struct ShortestPaths {
  private let costs: Matrix
  private let kernels: KernelSet
  private var prices: [Double]
  /// The row of each column; −1 for none.
  private var rows: [Int]
  /// The column of each row; −1 for none yet.
  private(set) var columns: [Int]

  // One search: prices with −∞ for the columns that are done, and for the others the length of the shortest
  // path that is known and the row from which it comes.
  private var open: [Double]
  private var distances: [Double]
  private var from: [Int32]

  init(_ costs: Matrix, kernels: KernelSet) {
    self.costs = costs
    self.kernels = kernels
    let count = costs.rows
    rows = [Int](repeating: -1, count: count)
    columns = rows
    open = [Double](repeating: 0, count: count)
    distances = open
    prices = (0..<count).map { Double(costs.values[$0]) }
    for row in 1..<count {
      for column in 0..<count {
        prices[column] = min(prices[column], Double(costs.values[row * count + column]))
      }
    }
    from = [Int32](repeating: 0, count: count)
  }

  /// Gives a row a column, and other rows other columns where that costs least.
  mutating func assign(_ row: Int) {
    open = prices
    for column in distances.indices { distances[column] = .infinity }
    var done: [(column: Int, distance: Double)] = []
    var current = row
    var base = 0.0
    while true {
      let column = relax(current, base: base)
      let distance = distances[column]
      guard rows[column] >= 0 else {
        for item in done { prices[item.column] += item.distance - distance }
        exchange(to: column, for: row)
        return
      }
      done.append((column, distance))
      distances[column] = .infinity
      open[column] = -.infinity
      current = rows[column]
      base = distance - (Double(costs[current, column]) - prices[column])
    }
  }

  /// The nearest column once the edges from `row`, at distance `base`, are known.
  private mutating func relax(_ row: Int, base: Double) -> Int {
    let count = costs.rows
    return costs.values.withUnsafeBufferPointer { costs in
      open.withUnsafeBufferPointer { open in
        distances.withUnsafeMutableBufferPointer { distances in
          from.withUnsafeMutableBufferPointer { from in
            kernels.relaxRow(
              count, costs: costs.start + row * count, prices: open.start, base: base,
              row: Int32(row), distances: distances.start, from: from.start)
          }
        }
      }
    }
  }

  /// Goes back along the path to `column`, and gives every row on it the column after it.
  private mutating func exchange(to column: Int, for row: Int) {
    var column = column
    while true {
      let owner = Int(from[column])
      rows[column] = owner
      swap(&columns[owner], &column)
      if owner == row { return }
    }
  }
}

import SparseCore
import Testing

@Suite struct LinearAssignmentTests {
  /// Whole numbers, so that every sum is exact; few of them for many ties, or many.
  private func costs(_ count: Int, levels: Int, seed: UInt64) -> Matrix {
    var random = SplitMix64(seed: seed)
    return Matrix(
      rows: count, columns: count,
      (0..<count * count).map { _ in Float(Int.random(in: -levels...levels, using: &random)) })
  }

  private func sum(_ costs: Matrix, _ columns: [Int]) -> Double {
    columns.enumerated().reduce(0) { $0 + Double(costs[$1.offset, $1.element]) }
  }

  @Test(arguments: KernelSet.available, 0...7)
  func equalsBruteForce(kernels: KernelSet, count: Int) {
    for seed in 0..<20 as Range<UInt64> {
      let costs = costs(count, levels: seed % 2 == 0 ? 3 : 1000, seed: seed)
      let found = LinearAssignment(minimizing: costs, on: Compute(kernels: kernels)).columns
      #expect(found.sorted() == Array(0..<count))
      #expect(sum(costs, found) == leastSum(costs, row: 0, taken: []), "seed \(seed)")
    }
  }

  private func leastSum(_ costs: Matrix, row: Int, taken: Set<Int>) -> Double {
    guard row < costs.rows else { return 0 }
    return (0..<costs.columns).filter { !taken.contains($0) }.map {
      Double(costs[row, $0]) + leastSum(costs, row: row + 1, taken: taken.union([$0]))
    }.min() ?? 0
  }

  @Test(arguments: KernelSet.available, [8, 15, 16, 17, 33, 60])
  func equalsTheHungarianMethod(kernels: KernelSet, count: Int) {
    for seed in 0..<6 as Range<UInt64> {
      let costs = costs(count, levels: [2, 50, 100_000][Int(seed % 3)], seed: seed)
      let compute = Compute(kernels: kernels)
      let found = LinearAssignment(minimizing: costs, on: compute).columns
      #expect(found.sorted() == Array(0..<count))
      #expect(sum(costs, found) == sum(costs, hungarian(costs)), "seed \(seed)")
      let negated = Matrix(rows: count, columns: count, costs.values.map { -$0 })
      #expect(LinearAssignment(maximizing: negated, on: compute).columns == found)
    }
  }

  /// Products of two sorted lists: the best assignment pairs the largest with the smallest, from end to end.
  @Test(arguments: KernelSet.available)
  func longPathsAreFound(kernels: KernelSet) {
    let count = 50
    let costs = Matrix(
      rows: count, columns: count,
      (0..<count * count).map { Float(($0 / count + 1) * ($0 % count + 1)) })
    let found = LinearAssignment(minimizing: costs, on: Compute(kernels: kernels)).columns
    #expect(found == (0..<count).reversed())
  }

  @Test(arguments: KernelSet.available, [0, 1, 2, 16, 37])
  func equalCostsGiveTheIdentity(kernels: KernelSet, count: Int) {
    for value in [0, 1, -3e38] as [Float] {
      let costs = Matrix(
        rows: count, columns: count, [Float](repeating: value, count: count * count))
      let found = LinearAssignment(minimizing: costs, on: Compute(kernels: kernels))
      #expect(found.columns == Array(0..<count))
    }
  }

  /// From 1e-30 to 1e30, with both signs: no worse than the other method's by more than roundings of the largest.
  @Test(arguments: KernelSet.available)
  func hugeRangesAreBestUpToRounding(kernels: KernelSet) {
    for seed in 0..<10 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      let count = 40
      let costs = Matrix(
        rows: count, columns: count,
        (0..<count * count).map { _ in
          let size = (0..<Int.random(in: 0...60, using: &random)).reduce(1e-30) { x, _ in x * 10 }
          return Float(random.uniform() < 0.5 ? -size : size)
        })
      let found = LinearAssignment(minimizing: costs, on: Compute(kernels: kernels)).columns
      #expect(found.sorted() == Array(0..<count))
      let largest = costs.values.reduce(0) { max($0, abs(Double($1))) }
      let bound = 4 * Double(count * count) * 0x1p-52 * largest
      #expect(sum(costs, found) <= sum(costs, hungarian(costs)) + bound, "seed \(seed)")
    }
  }

  /// Ties everywhere, so that a difference in their order would show.
  @Test(arguments: KernelSet.available)
  func everyKernelSetFindsTheSame(kernels: KernelSet) {
    for seed in 0..<8 as Range<UInt64> {
      let costs = costs(75, levels: 4, seed: seed)
      let first = LinearAssignment(minimizing: costs, on: Compute(kernels: .available[0]))
      #expect(LinearAssignment(minimizing: costs, on: Compute(kernels: kernels)) == first)
    }
  }

  /// Greedy: each row in turn takes the cheapest column that is left.
  @Test func isNeverWorseThanTheIdentityOrAGreedyChoice() {
    for seed in 0..<10 as Range<UInt64> {
      let costs = costs(100, levels: 500, seed: seed)
      var free = Array(0..<100)
      let greedy = (0..<100).map { row in
        let best = free.indices.min { costs[row, free[$0]] < costs[row, free[$1]] } ?? 0
        return free.remove(at: best)
      }
      let best = sum(costs, LinearAssignment(minimizing: costs).columns)
      #expect(best < sum(costs, greedy))
      #expect(best < sum(costs, Array(0..<100)))
    }
  }
}

/// Kuhn and Munkres as in textbooks: prices of rows and columns in float64, one row after the other.
private func hungarian(_ costs: Matrix) -> [Int] {
  let count = costs.rows
  var u = [Double](repeating: 0, count: count + 1)
  var v = u
  var rowOf = [Int](repeating: 0, count: count + 1)  // rows and columns from 1; 0 for none
  for row in 1..<count + 1 {
    var slack = [Double](repeating: .infinity, count: count + 1)
    var way = [Int](repeating: 0, count: count + 1)
    var used = [Bool](repeating: false, count: count + 1)
    var column = 0
    rowOf[0] = row
    while rowOf[column] != 0 {
      used[column] = true
      let (i, last) = (rowOf[column], column)
      for j in 1...count where !used[j] {
        let reduced = Double(costs[i - 1, j - 1]) - u[i] - v[j]
        if reduced < slack[j] { (slack[j], way[j]) = (reduced, last) }
      }
      column = (1...count).filter { !used[$0] }.min { slack[$0] < slack[$1] } ?? 0
      let delta = slack[column]
      for j in 0...count {
        if used[j] {
          u[rowOf[j]] += delta
          v[j] -= delta
        } else {
          slack[j] -= delta
        }
      }
    }
    while column != 0 {
      rowOf[column] = rowOf[way[column]]
      column = way[column]
    }
  }
  var columns = [Int](repeating: 0, count: count)
  for column in 1..<count + 1 { columns[rowOf[column] - 1] = column - 1 }
  return columns
}

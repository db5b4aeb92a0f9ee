import SparseCore
import Testing

/// The kernels of the search against loops: sums in a stated order, so every bit is the same.
@Suite struct PermutationKernelTests {
  private static let width = KernelSet.panelWidth

  private func scores(_ count: Int, seed: UInt64) -> [Float] {
    randomFloats(count, seed: seed).map { $0 * $0 }
  }

  @Test(arguments: KernelSet.available, [0, 1, 5])
  func medianIsTheMiddleOne(kernels: KernelSet, rows: Int) {
    let count = rows * Self.width
    let sides = (0..<3).map { side in
      scores(count, seed: UInt64(side)).map { ($0 * 4).rounded() }  // ties among them
    }
    var out = [Float](repeating: -1, count: count)
    kernels.median(count, sides[0], sides[1], sides[2], into: &out)
    #expect(out == (0..<count).map { place in sides.map { $0[place] }.sorted()[1] })
  }

  @Test(arguments: KernelSet.available, [0, 1, 300])
  func twoLargestAreSummed(kernels: KernelSet, rows: Int) {
    let stride = (rows + 3) * Self.width
    let members = scores(4 * stride, seed: 7)
    var sums = [Double](repeating: 0.5, count: Self.width)
    kernels.addTwoLargest(rows: rows, stride: stride, members: members, to: &sums)
    for group in 0..<Self.width {
      var expected = 0.5
      for row in 0..<rows {
        let four = (0..<4).map { members[$0 * stride + row * Self.width + group] }.sorted()
        expected += Double(four[3]) + Double(four[2])
      }
      #expect(sums[group] == expected)
    }
  }

  @Test(arguments: KernelSet.available, [0, 1, 300])
  func maximaAreSummed(kernels: KernelSet, rows: Int) {
    let medians = scores(rows * Self.width, seed: 8)
    let candidates = scores(rows * Self.width, seed: 9)
    var sums = [Float](repeating: 0.25, count: Self.width * Self.width)
    kernels.addMaxima(rows: rows, medians: medians, candidates: candidates, to: &sums)
    for group in 0..<Self.width {
      for candidate in 0..<Self.width {
        var expected: Float = 0
        for row in 0..<rows {
          expected += max(
            medians[row * Self.width + group], candidates[row * Self.width + candidate])
        }
        #expect(sums[group * Self.width + candidate] == 0.25 + expected)
      }
    }
  }

  /// Whole numbers, among them many equal ones; a third of the columns are done.
  @Test(arguments: KernelSet.available, [1, 3, 4, 7, 8, 15, 16, 17, 40, 100])
  func rowsAreRelaxed(kernels: KernelSet, count: Int) {
    for seed in 0..<10 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      func number() -> Double { Double(Int.random(in: -3...3, using: &random)) }
      let costs = (0..<count).map { _ in Float(number()) }
      let open = Int.random(in: 0..<count, using: &random)
      let done = (0..<count).map { _ in random.uniform() < 0.3 }.enumerated().map {
        $0.element && $0.offset != open
      }
      let prices = (0..<count).map { done[$0] ? -.infinity : number() }
      let before = (0..<count).map { column in
        done[column] || random.uniform() < 0.3 ? .infinity : number()
      }
      var (distances, from) = (before, [Int32](repeating: 7, count: count))
      let nearest = kernels.relaxRow(
        count, costs: costs, prices: prices, base: 2, row: 9, distances: &distances, from: &from)
      let paths = (0..<count).map { Double(costs[$0]) - prices[$0] + 2 }
      #expect(distances == zip(before, paths).map { min($0, $1) })
      #expect(from == zip(before, paths).map { $1 < $0 ? 9 : 7 })
      #expect(nearest == distances.firstIndex(of: distances.min() ?? 0), "seed \(seed)")
      #expect(!done[nearest])
    }
  }
}

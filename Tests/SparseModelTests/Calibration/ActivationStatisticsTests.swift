import SparseCore
import TestSupport
import Testing

@testable import SparseModel

@Suite struct ActivationStatisticsTests {
  private func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var random = SplitMix64(seed: seed)
    return Matrix(
      rows: rows, columns: columns,
      (0..<rows * columns).map { _ in Float.random(in: -2...2, using: &random) })
  }

  /// Windows of `length` tokens, each row holding the number of its token, added `together` windows at a time.
  private func sample(windows: Int, length: Int, together: Int) -> (
    sample: InputSample, rows: [Int]
  ) {
    var sample = InputSample(windows: windows, length: length)
    for first in stride(from: 0, to: windows, by: together) {
      let tokens = first * length..<min(first + together, windows) * length
      sample.add(Matrix(rows: tokens.count, columns: 1, tokens.map { Float($0) }))
    }
    return (sample, sample.inputs.values.map { Int($0) })
  }

  @Test(arguments: [
    (8, 128, 1024), (12, 128, 1024), (16, 128, 1024), (64, 512, 2048), (256, 512, 4096),
    (3, 5000, 5000), (1, 7, 7),
  ])
  func aSixteenthOfTheTokensIsSampledInWholeWindows(windows: Int, length: Int, expected: Int) {
    let (sample, rows) = sample(windows: windows, length: length, together: windows)
    #expect(sample.tokens == expected)
    #expect(rows.count == expected)
    let starts = stride(from: 0, to: rows.count, by: length).map { rows[$0] }
    #expect(starts.allSatisfy { $0 % length == 0 })
    for (index, row) in rows.enumerated() {
      #expect(row == starts[index / length] + index % length)
    }
    #expect(Set(starts).count == expected / length)
    let gaps = zip(starts, starts.dropFirst()).map { ($1 - $0) / length }
    #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1, "evenly spread: \(gaps)")
  }

  @Test(arguments: [1, 3, 16])
  func theSampleDoesNotDependOnTheChunks(together: Int) {
    #expect(
      sample(windows: 16, length: 128, together: together).rows
        == sample(windows: 16, length: 128, together: 2).rows)
  }

  @Test func nothingMoreIsCollectedThanAMethodNeeds() {
    let x = random(9, 12, seed: 3)
    func result(_ needs: StatisticsKind) -> InputStatistics {
      var collector = StatisticsCollector(needs: needs, inputs: 12)
      collector.add(x, on: .automatic)
      return collector.result
    }
    if case .none = result(.none) {} else { Issue.record("statistics without need") }
    if case .norms = result(.norms) {} else { Issue.record("no norms") }
    if case .gram = result(.gram) {} else { Issue.record("no gram") }
    let norms = result(.norms).norms ?? []
    let fromGram = result(.gram).norms ?? []
    for column in 0..<12 {
      let squares = (0..<9).reduce(0) { $0 + Double(x[$1, column]) * Double(x[$1, column]) }
      #expect(abs(Double(norms[column]) - squares.squareRoot()) < 1e-6)
      #expect(abs(Double(fromGram[column]) - squares.squareRoot()) < 1e-5)
    }
  }

  @Test func theOutputErrorIsThatOfTheProducts() {
    let (x, w) = (random(20, 16, seed: 1), random(6, 16, seed: 2))
    var changed = w
    for row in 0..<6 { for column in stride(from: 0, to: 16, by: 2) { changed[row, column] = 0 } }
    var (error, reference) = (0.0, 0.0)
    for token in 0..<20 {
      for row in 0..<6 {
        func dot(_ weight: Matrix) -> Double {
          (0..<16).reduce(0) { $0 + Double(x[token, $1]) * Double(weight[row, $1]) }
        }
        error += (dot(w) - dot(changed)) * (dot(w) - dot(changed))
        reference += dot(w) * dot(w)
      }
    }
    let measured = OutputError(
      of: RowSource(changed), for: RowSource(w), inputs: x, on: .automatic)
    #expect(abs(measured.relative - (error / reference).squareRoot()) < 1e-6)
    #expect(OutputError(squaredError: 0, squaredReference: 0).relative == 0)
  }
}

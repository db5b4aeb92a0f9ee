@testable import SparseCore
import TestSupport
import Testing

@Suite struct ChannelOrderTests {
  /// Σ of the two largest (|w|·‖x‖)² of every four columns of every row, in float64.
  private func mass(_ weight: Matrix, _ norms: [Float]) -> Double {
    var total = 0.0
    for row in 0..<weight.rows {
      let scores = (0..<weight.columns).map { column in
        let size = Double(weight[row, column]) * Double(norms[column])
        return size * size
      }
      for group in stride(from: 0, to: scores.count, by: 4) {
        total += scores[group..<group + 4].sorted().suffix(2).reduce(0, +)
      }
    }
    return total
  }

  private func layer(_ rows: Int, _ columns: Int, seed: UInt64) -> (Matrix, [Float]) {
    let layer = Reference.layer(rows: rows, columns: columns, tokens: 5, seed: seed)
    var norms = InputNorms(inputs: columns)
    norms.add(layer.inputs)
    return (layer.weight, norms.norms)
  }

  private func mlp(_ channels: Int) -> [ChannelDomain] {
    [ChannelDomain(channels: channels, columns: [0], row: 0)]
  }

  /// `heads` query heads that share two key/value heads.
  private func attention(heads: Int, width: Int) -> [ChannelDomain] {
    (0..<2).map { head in
      ChannelDomain(
        channels: width, columns: (0..<heads / 2).map { (head * heads / 2 + $0) * width },
        row: head * width)
    }
  }

  @Test(
    arguments: [4, 8, 48, 64, 196, 204], 0..<4 as Range<UInt64>)
  func theMassKeptGrowsAndNeverFalls(channels: Int, seed: UInt64) throws {
    let (weight, norms) = layer(40, channels, seed: seed)
    let order = try #require(
      ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(channels)))
    #expect(order.columns == order.rows)
    let before = mass(weight, norms)
    let after = mass(
      weight.permuted(columns: order.columns), norms.permuted(by: order.columns))
    #expect(channels < 48 ? after >= before : after > before)
    let scale = after / order.massAfter  // a power of two, but for the rounding of float32 scores
    #expect(abs(order.massBefore * scale / before - 1) < 1e-6)
    #expect(abs(order.gain - (after / before - 1)) < 1e-6)
  }

  @Test(arguments: [(4, 16), (2, 52), (6, 4)])
  func headsThatShareValuesShareTheirOrder(heads: Int, width: Int) throws {
    let (weight, norms) = layer(30, heads * width, seed: 9)
    let domains = attention(heads: heads, width: width)
    let order = try #require(
      ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: domains))
    #expect(order.rows.count == 2 * width && order.columns.count == heads * width)
    for (column, old) in order.columns.order.enumerated() {
      let head = column / width / (heads / 2)
      #expect(old / width == column / width, "a channel left its head")
      #expect(old % width == order.rows.order[head * width + column % width] - head * width)
    }
    let after = mass(
      weight.permuted(columns: order.columns), norms.permuted(by: order.columns))
    #expect(width == 4 ? after >= mass(weight, norms) : after > mass(weight, norms))
  }

  /// Four kinds of channels, each of which only its own rows read.
  ///
  /// All sizes are the same, so dealing them out by size puts four of a kind into every group; two
  /// exchanges make it two of a kind at most.
  @Test func exchangesFindAnOrderThatKeepsEverything() throws {
    let kind = [0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0]
    let weight = Matrix(
      rows: 4, columns: 16, (0..<64).map { kind[$0 % 16] == $0 / 16 ? 1 : 0 })
    let norms = [Float](repeating: 1, count: 16)
    let order = try #require(
      ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(16)))
    #expect(mass(weight.permuted(columns: order.columns), norms) == 16)
    #expect(order.massAfter == 16)
  }

  /// Two channels in each group matter and two do not.
  @Test func anOrderThatCannotBeImprovedStays() throws {
    let weight = Matrix(rows: 3, columns: 64, (0..<192).map { $0 % 4 < 2 ? 0 : 1 })
    let norms = [Float](repeating: 2, count: 64)
    let order = try #require(
      ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(64)))
    #expect(order.columns.isIdentity && order.rows.isIdentity)
    #expect(order.gain == 0 && order.massBefore > 0)
  }

  /// Weights and norms of 0, of 1e-30 and of 1e30.
  @Test(arguments: [0, 1e-30, 1e30] as [Float])
  func sizesDoNotOverflowOrVanish(scale: Float) throws {
    var (weight, norms) = layer(20, 32, seed: 11)
    norms = norms.map { $0 * scale }
    let order = try #require(
      ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(32)))
    let plain = try #require(
      ChannelOrder(
        readBy: [StoredMatrix(weight)], norms: layer(20, 32, seed: 11).1, domains: mlp(32)))
    if scale == 0 {
      #expect(order.columns.isIdentity && order.gain == 0)
    } else {
      #expect(order.columns.inverse.count == 32 && abs(order.gain - plain.gain) < 0.01)
      #expect(order.massBefore.isFinite && order.gain > 0)
    }
    weight.scale(by: 0)
    let none = try #require(
      ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(32)))
    #expect(none.columns.isIdentity)
  }

  @Test func severalLayersCountTogether() throws {
    let (weight, norms) = layer(30, 48, seed: 12)
    let parts = [weight.gather(rows: Array(0..<7)), weight.gather(rows: Array(7..<30))]
    #expect(
      ChannelOrder(readBy: parts.map { StoredMatrix($0) }, norms: norms, domains: mlp(48))?.columns
        == ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(48))?.columns)
  }

  @Test func groupsThatDoNotDivideADomainHaveNoOrder() {
    let (weight, norms) = layer(8, 20, seed: 13)
    let domains = attention(heads: 2, width: 10)
    #expect(ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: domains) == nil)
  }

  /// 300 rows, so that maxima are summed in more than one chain.
  @Test(arguments: KernelSet.available)
  func neitherKernelsNorThreadsChangeTheOrder(kernels: KernelSet) {
    let (weight, norms) = layer(300, 72, seed: 14)
    let domains = attention(heads: 6, width: 12)
    let first = Compute(kernels: .available[0], threads: 1)
    for domains in [domains, mlp(72)] {
      let expected = ChannelOrder(
        readBy: [StoredMatrix(weight)], norms: norms, domains: domains, on: first)
      for threads in [1, 2, 5] {
        let compute = Compute(kernels: kernels, threads: threads)
        #expect(
          ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: domains, on: compute)
            == expected)
      }
    }
  }

  /// One group more than two blocks can share evenly.
  @Test func wideDomainsAreSearchedInBlocks() throws {
    let channels = ChannelOrder.blockChannels + 4
    let (weight, norms) = layer(6, channels, seed: 15)
    let order = try #require(
      ChannelOrder(readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(channels), rounds: 1))
    let after = mass(
      weight.permuted(columns: order.columns), norms.permuted(by: order.columns))
    #expect(after > mass(weight, norms))
    let other = ChannelOrder(
      readBy: [StoredMatrix(weight)], norms: norms, domains: mlp(channels), rounds: 1,
      on: Compute(threads: 1))
    #expect(other == order)
  }

  /// What is read as it is stored has the scores of its float32 values, however many exchanges go on at once.
  @Test(arguments: [ScalarType.float16, .bfloat16])
  func aStoredWeightHasTheOrderOfItsValues(type: ScalarType) {
    let (weight, norms) = layer(60, 128, seed: 15)
    let stored = StoredMatrix(weight, as: type)
    let domains = (0..<2).map { ChannelDomain(channels: 64, columns: [64 * $0], row: 64 * $0) }
    let expected = ChannelOrder(
      readBy: [StoredMatrix(Matrix(stored))], norms: norms, domains: domains)
    for bytes in [0, .max] {
      #expect(
        ChannelOrder(readBy: [stored], norms: norms, domains: domains, scratchBytes: bytes)
          == expected)
    }
  }
}

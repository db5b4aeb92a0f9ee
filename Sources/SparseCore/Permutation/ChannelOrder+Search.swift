extension ChannelOrder {
  /// The most channels whose groups exchange members with each other.
  ///
  /// An assignment takes up to the cube of their number; beyond this, several times as many blocks of
  /// groups are alike enough to be seen to one by one.
  static let blockChannels = 2048

  /// An order in which 2:4 keeps more of Σ(|w|·‖x‖)² of the layers that read the channels, and so loses less.
  ///
  /// Where 2:4 groups four channels that matter little it keeps two of them all the same, and where it groups
  /// four that matter it drops two. The search deals the channels out by size, back and forth, so that every
  /// group gets some of each (unless the old order is better), and then lets groups exchange members by
  /// linear assignment (in the manner of Pool & Yu 2021, "Channel permutations for N:M sparsity"). It is not
  /// the best order, but never worse than the old one, and the same for any kernel set and number of threads.
  ///
  /// - Parameters:
  ///   - weights: the layers that read the channels, `outputs × columns`, finite, of floating-point types.
  ///   - norms: ‖x_j‖ of each column, finite.
  ///   - domains: the channels that may change places; together they are all rows of the layers that write them.
  ///   - rounds: how often each of a group's four members is exchanged.
  ///   - scratchBytes: what the exchanges that go on at the same time may take together; one goes on in any case.
  /// - Returns: nil where groups of four do not divide a domain.
  package init?(
    readBy weights: [StoredMatrix], norms: [Float], domains: [ChannelDomain], rounds: Int = 2,
    scratchBytes: Int = .max, on compute: Compute = .automatic
  ) {
    for weight in weights {
      precondition(
        weight.columns == norms.count,
        "ChannelOrder: \(weight.columns) columns and \(norms.count) norms")
    }
    guard domains.allSatisfy({ $0.channels % 4 == 0 }) else { return nil }
    let scores = domains.map { ChannelScores(weights, norms: norms, domain: $0) }
    var blocks: [(domain: Int, groups: [Int])] = []
    let masses = scores.map { $0.mass(of: $0.identity, on: compute) }
    var starts: [[[Int]]] = []
    for (index, scores) in scores.enumerated() {
      starts.append(scores.start(betterThan: masses[index], on: compute))
      let groups = scores.channels / 4
      let count = (scores.channels + Self.blockChannels - 1) / Self.blockChannels
      // Neighbouring groups go to different blocks: in a start by size they are alike.
      for block in 0..<count {
        blocks.append((index, Array(stride(from: block, to: groups, by: count))))
      }
    }
    let most =
      zip(domains, scores).map {
        Self.exchangeBytes(channels: $0.channels, rows: $1.rows)
      }.max() ?? 0
    let atOnce = min(compute.threads, max(1, blocks.count), max(1, scratchBytes / max(1, most)))
    let inner = Compute(kernels: compute.kernels, threads: max(1, compute.threads / atOnce))
    let improved = Parallel.map(blocks.count, threads: atOnce) { [blocks, starts] index in
      let (domain, groups) = blocks[index]
      let members = starts[domain].map { member in groups.map { member[$0] } }
      var exchange = GroupExchange(members, of: scores[domain], on: inner)
      exchange.improve(rounds: rounds)
      return exchange.members
    }
    for (block, members) in zip(blocks, improved) {
      for (member, channels) in members.enumerated() {
        for (group, channel) in zip(block.groups, channels) {
          starts[block.domain][member][group] = channel
        }
      }
    }
    var after = 0.0
    var orders: [[Int]] = []
    for (index, scores) in scores.enumerated() {
      let mass = scores.mass(of: starts[index], on: compute)
      after += max(masses[index], mass)
      orders.append(
        ChannelScores.order(of: mass > masses[index] ? starts[index] : scores.identity))
    }
    self.init(
      orders, of: domains, columns: norms.count,
      rows: domains.map { $0.row + $0.channels }.max() ?? 0,
      massBefore: masses.reduce(0, +), massAfter: after)
  }
}

extension ChannelOrder {
  /// What one exchange of a domain's members takes.
  ///
  /// - Parameter rows: those of all layers that read the channels, counted each time that they read them.
  package static func exchangeBytes(channels: Int, rows: Int) -> Int {
    let groups = min(channels, blockChannels + 4) / 4
    return GroupExchange.byteCount(groups: groups, rows: rows)
  }

  /// What a search takes beside its exchanges.
  package static func searchBytes(channels: Int, threads: Int) -> Int {
    ChannelScores.massBytes(channels: channels) * threads
  }
}

extension ChannelScores {
  /// The groups as they are: the first members of all, the second, the third, the fourth.
  fileprivate var identity: [[Int]] {
    (0..<4).map { member in (0..<channels / 4).map { 4 * $0 + member } }
  }

  /// The channels group by group.
  fileprivate static func order(of members: [[Int]]) -> [Int] {
    members[0].indices.flatMap { group in members.map { $0[group] } }
  }

  /// Channels by size dealt out to the groups back and forth, or the groups as they are where that keeps no more than `mass`, which these keep.
  fileprivate func start(betterThan mass: Double, on compute: Compute) -> [[Int]] {
    let sizes = sizes(on: compute)
    let bySize = sizes.indices.sorted {
      sizes[$0] == sizes[$1] ? $0 < $1 : sizes[$0] > sizes[$1]
    }
    let groups = channels / 4
    let dealt = (0..<4).map { member in
      let row = Array(bySize[member * groups..<(member + 1) * groups])
      return member % 2 == 0 ? row : row.reversed()
    }
    return self.mass(of: dealt, on: compute) > mass ? dealt : identity
  }
}

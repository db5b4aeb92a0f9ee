/// Some groups of four channels that exchange members so that 2:4 keeps more of their scores.
///
/// One member is taken out of every group. With the three that stay, in one row, a ≥ b ≥ c, a candidate x
/// makes the two largest a + max(b, x); so over all rows a candidate is worth Σ max(b, x) to a group, up to
/// what is the group's own. The best way to give every group one candidate is a linear assignment.
struct GroupExchange {
  private let scores: ChannelScores
  private let compute: Compute
  /// The channels of the groups' first members, second, third and fourth.
  private(set) var members: [[Int]]
  private let panels: Int
  /// The scores of the four members, each [panels][rows][48], and then a place for medians.
  private let planes: AlignedFloats
  private let planeSize: Int

  /// Rows whose maxima are summed in one chain, so that rounding does not grow with the rows: two panels of 48 KB.
  private static let chainRows = 256

  init(_ members: [[Int]], of scores: ChannelScores, on compute: Compute) {
    self.members = members
    self.scores = scores
    self.compute = compute
    panels = KernelSet.panels(for: members[0].count)
    planeSize = panels * scores.rows * KernelSet.panelWidth
    planes = AlignedFloats(count: 5 * planeSize)
    for member in members.indices { writePlane(member) }
  }

  /// Exchanges each of the four members in turn, at most `rounds` times; an exchange that keeps less is undone.
  mutating func improve(rounds: Int) {
    var best = mass
    for _ in 0..<rounds {
      let before = best
      for member in members.indices {
        let old = members[member]
        let assignment = LinearAssignment(minimizing: losses(without: member), on: compute)
        members[member] = assignment.columns.map { old[$0] }
        guard members[member] != old else { continue }
        writePlane(member)
        let now = mass
        if now > best {
          best = now
        } else {
          members[member] = old
          writePlane(member)
        }
      }
      if best == before { return }
    }
  }

  /// What an exchange takes: the scores, the worth of every member to every group, and what an assignment goes by.
  static func byteCount(groups: Int, rows: Int) -> Int {
    let width = KernelSet.panelWidth
    return 4 * (5 * KernelSet.panels(for: groups) * rows * width + 3 * groups * groups)
  }

  private var panelSize: Int { scores.rows * KernelSet.panelWidth }

  private func plane(_ index: Int) -> UnsafeMutablePointer<Float> {
    planes.pointer + index * planeSize
  }

  private func writePlane(_ member: Int) {
    nonisolated(unsafe) let plane = plane(member)
    Parallel.forEachRange(of: scores.rows, size: 64, threads: compute.threads) { rows in
      scores.write(
        rows: rows, of: members[member], to: plane + rows.lowerBound * KernelSet.panelWidth,
        panelStride: panelSize, kernels: compute.kernels)
    }
  }

  /// What the two largest of every four keep.
  private var mass: Double {
    let sums = Parallel.map(panels, threads: compute.threads) { panel in
      var sums = [Double](repeating: 0, count: KernelSet.panelWidth)
      sums.withUnsafeMutableBufferPointer {
        compute.kernels.addTwoLargest(
          rows: scores.rows, stride: planeSize, members: plane(0) + panel * panelSize, to: $0.start)
      }
      return sums.reduce(0, +)
    }
    return sums.reduce(0, +)
  }

  /// Minus the worth to each group (row) of each group's member (column).
  private func losses(without member: Int) -> Matrix {
    let count = members[member].count
    let others = (0..<4).filter { $0 != member }
    return Matrix(rows: count, columns: count) { out in
      nonisolated(unsafe) let (candidates, medians, out) = (plane(member), plane(4), out.start)
      Parallel.forEach(panels, threads: compute.threads) { panel in
        let start = panel * panelSize
        compute.kernels.median(
          panelSize, plane(others[0]) + start, plane(others[1]) + start, plane(others[2]) + start,
          into: medians + start)
        AlignedFloats.withScratch(count: KernelSet.panelWidth * KernelSet.panelWidth) { tile in
          for other in 0..<panels {
            addMaxima(medians + start, candidates + other * panelSize, into: tile)
            copy(tile, panel, other, to: out, size: count)
          }
        }
      }
    }
  }

  private func addMaxima(
    _ medians: UnsafePointer<Float>, _ candidates: UnsafePointer<Float>,
    into tile: UnsafeMutablePointer<Float>
  ) {
    let width = KernelSet.panelWidth
    tile.update(repeating: 0, count: width * width)
    for row in stride(from: 0, to: scores.rows, by: Self.chainRows) {
      compute.kernels.addMaxima(
        rows: min(Self.chainRows, scores.rows - row), medians: medians + row * width,
        candidates: candidates + row * width, to: tile)
    }
  }

  private func copy(
    _ tile: UnsafePointer<Float>, _ panel: Int, _ other: Int, to out: UnsafeMutablePointer<Float>,
    size: Int
  ) {
    let width = KernelSet.panelWidth
    for row in 0..<min(width, size - panel * width) {
      let start = out + (panel * width + row) * size + other * width
      for column in 0..<min(width, size - other * width) {
        start[column] = -tile[row * width + column]
      }
    }
  }
}

/// The scores (|w|·‖x‖)² of a domain's channels: a row for every row of every layer and every time it reads them.
///
/// The norms are divided by a power of two so that no square overflows, which changes no comparison.
struct ChannelScores: Sendable {
  /// One reading of the channels by one layer.
  private struct Reading: Sendable {
    let weight: Matrix
    let column: Int
    let norms: [Float]  // one per channel
  }
  private let readings: [Reading]
  /// All readings' rows, one after the other.
  let rows: Int
  let channels: Int

  /// - Parameters:
  ///   - weights: the layers that read the channels, each with as many columns as there are norms.
  ///   - norms: ‖x‖ of every column, finite.
  init(_ weights: [Matrix], norms: [Float], domain: ChannelDomain) {
    let largest = norms.max() ?? 0
    let scale = largest.isNormal ? 1 / largest.binade : 1
    channels = domain.channels
    readings = weights.flatMap { weight in
      domain.columns.map { column in
        Reading(
          weight: weight, column: column,
          norms: norms[column..<column + domain.channels].map { $0 * scale })
      }
    }
    rows = readings.reduce(0) { $0 + $1.weight.rows }
  }

  /// Σ |w|·‖x‖ of each channel.
  var sizes: [Double] {
    var sizes = [Double](repeating: 0, count: channels)
    for reading in readings {
      var sums = [Double](repeating: 0, count: channels)
      reading.weight.values.withUnsafeBufferPointer { values in
        sums.withUnsafeMutableBufferPointer { sums in
          for row in 0..<reading.weight.rows {
            let start = values.start + row * reading.weight.columns + reading.column
            for channel in sums.indices { sums[channel] += Double(abs(start[channel])) }
          }
        }
      }
      for channel in sizes.indices {
        sizes[channel] += sums[channel] * Double(reading.norms[channel])
      }
    }
    return sizes
  }

  /// Writes the scores of `channels` in some rows to panels of 48 channels, which begin `panelStride` values apart.
  ///
  /// Places beyond the last channel are 0.
  func write(
    rows range: Range<Int>, of channels: [Int], to panels: UnsafeMutablePointer<Float>,
    panelStride: Int
  ) {
    let width = KernelSet.panelWidth
    var first = 0
    for reading in readings {
      let part = range.clamped(to: first..<first + reading.weight.rows)
      let factors = channels.map { reading.norms[$0] }
      reading.weight.values.withUnsafeBufferPointer { values in
        for row in part {
          let from = values.start + (row - first) * reading.weight.columns + reading.column
          var to = panels + (row - range.lowerBound) * width
          for start in stride(from: 0, to: channels.count, by: width) {
            let end = min(start + width, channels.count)
            for place in start..<end {
              let size = from[channels[place]] * factors[place]
              to[place - start] = size * size
            }
            for place in end - start..<width { to[place] = 0 }
            to += panelStride
          }
        }
      }
      first += reading.weight.rows
    }
  }

  /// Σ of the two largest scores of every group, for channels in the order of `members`: the four of each group.
  ///
  /// Rows are summed in pieces of the same size for any number of threads, the pieces in order.
  func mass(of members: [[Int]], on compute: Compute) -> Double {
    let width = KernelSet.panelWidth
    let panels = KernelSet.panels(for: members[0].count)
    let piece = 64
    let sums = Parallel.map((rows + piece - 1) / piece, threads: compute.threads) { index in
      let range = index * piece..<min((index + 1) * piece, rows)
      var sums = [Double](repeating: 0, count: panels * width)
      let stride = piece * width
      AlignedFloats.withScratch(count: 4 * panels * stride) { scratch in
        for (member, channels) in members.enumerated() {
          write(
            rows: range, of: channels, to: scratch + member * panels * stride,
            panelStride: stride)
        }
        sums.withUnsafeMutableBufferPointer { sums in
          for panel in 0..<panels {
            compute.kernels.addTwoLargest(
              rows: range.count, stride: panels * stride, members: scratch + panel * stride,
              to: sums.start + panel * width)
          }
        }
      }
      return sums.reduce(0, +)
    }
    return sums.reduce(0, +)
  }
}

/// The scores (|w|·‖x‖)² of a domain's channels: a row for every row of every layer and every time it reads them.
///
/// The norms are divided by a power of two so that no square overflows, which changes no comparison.
struct ChannelScores: Sendable {
  /// One reading of the channels by one layer.
  private struct Reading: Sendable {
    let weight: StoredMatrix
    let column: Int
    let norms: [Float]  // one per channel

    /// Where the channels of a row begin.
    func start(ofRow row: Int) -> UnsafeRawPointer {
      weight.bytes.bytes.start + row * weight.rowBytes + column * weight.type.byteCount
    }

    /// Takes the values of some channels out of a row, as they are stored, and makes float32 of them.
    func read(
      _ row: Int, _ channels: [Int], into values: UnsafeMutablePointer<Float>,
      bits: UnsafeMutableRawPointer, kernels: KernelSet
    ) {
      let size = weight.type.byteCount
      let from = start(ofRow: row)
      if size == 2 {
        gather(UInt16.self, from, channels, into: bits)
      } else {
        gather(UInt32.self, from, channels, into: bits)
      }
      kernels.convert(channels.count, weight.type, bits, to: values)
    }

    private func gather<Bits: FixedWidthInteger & BitwiseCopyable>(
      _ type: Bits.Type, _ from: UnsafeRawPointer, _ channels: [Int],
      into bits: UnsafeMutableRawPointer
    ) {
      let size = MemoryLayout<Bits>.size
      for (place, channel) in channels.enumerated() {
        bits.storeBytes(
          of: from.loadUnaligned(fromByteOffset: channel * size, as: Bits.self),
          toByteOffset: place * size, as: Bits.self)
      }
    }
  }
  private let readings: [Reading]
  /// All readings' rows, one after the other.
  let rows: Int
  let channels: Int

  /// - Parameters:
  ///   - weights: the layers that read the channels, each with as many columns as there are norms, of floating-point types.
  ///   - norms: ‖x‖ of every column, finite.
  init(_ weights: [StoredMatrix], norms: [Float], domain: ChannelDomain) {
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
  func sizes(on compute: Compute) -> [Double] {
    var sizes = [Double](repeating: 0, count: channels)
    for reading in readings {
      var sums = [Double](repeating: 0, count: channels)
      AlignedFloats.withScratch(count: channels) { values in
        sums.withUnsafeMutableBufferPointer { sums in
          for row in 0..<reading.weight.rows {
            compute.kernels.convert(
              channels, reading.weight.type, reading.start(ofRow: row), to: values)
            for channel in sums.indices { sums[channel] += Double(abs(values[channel])) }
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
    panelStride: Int, kernels: KernelSet
  ) {
    let width = KernelSet.panelWidth
    var first = 0
    AlignedFloats.withScratch(count: 2 * channels.count) { values in
      let bits = UnsafeMutableRawPointer(values + channels.count)
      for reading in readings {
        let part = range.clamped(to: first..<first + reading.weight.rows)
        let factors = channels.map { reading.norms[$0] }
        for row in part {
          reading.read(row - first, channels, into: values, bits: bits, kernels: kernels)
          var to = panels + (row - range.lowerBound) * width
          for start in stride(from: 0, to: channels.count, by: width) {
            let end = min(start + width, channels.count)
            for place in start..<end {
              let size = values[place] * factors[place]
              to[place - start] = size * size
            }
            for place in end - start..<width { to[place] = 0 }
            to += panelStride
          }
        }
        first += reading.weight.rows
      }
    }
  }

  /// The bytes of panels for the scores of 64 rows of all channels.
  static func massBytes(channels: Int) -> Int {
    4 * 4 * KernelSet.panels(for: channels / 4) * massRows * KernelSet.panelWidth
  }

  private static let massRows = 64

  /// Σ of the two largest scores of every group, for channels in the order of `members`: the four of each group.
  ///
  /// Rows are summed in pieces of the same size for any number of threads, the pieces in order.
  func mass(of members: [[Int]], on compute: Compute) -> Double {
    let width = KernelSet.panelWidth
    let panels = KernelSet.panels(for: members[0].count)
    let piece = Self.massRows
    let sums = Parallel.map((rows + piece - 1) / piece, threads: compute.threads) { index in
      let range = index * piece..<min((index + 1) * piece, rows)
      var sums = [Double](repeating: 0, count: panels * width)
      let stride = piece * width
      AlignedFloats.withScratch(count: 4 * panels * stride) { scratch in
        for (member, channels) in members.enumerated() {
          write(
            rows: range, of: channels, to: scratch + member * panels * stride,
            panelStride: stride, kernels: compute.kernels)
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

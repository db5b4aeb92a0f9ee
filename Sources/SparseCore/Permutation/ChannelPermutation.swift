/// An order of channels: which old channel stands at each new place.
package struct ChannelPermutation: Sendable, Equatable {
  /// The old place of the channel at each new place: every number from 0 once.
  package let order: [Int]

  /// The permutation that moves old channel `order[place]` to `place`.
  package init(_ order: [Int]) {
    var seen = [Bool](repeating: false, count: order.count)
    for channel in order {
      precondition(
        order.indices.contains(channel) && !seen[channel],
        "ChannelPermutation: channel \(channel) of \(order.count) is out of range or there twice")
      seen[channel] = true
    }
    self.order = order
  }

  /// `count` channels where they are.
  package init(identity count: Int) { order = Array(0..<count) }

  /// The number of channels.
  package var count: Int { order.count }

  /// Whether every channel stays where it is.
  package var isIdentity: Bool { order.indices.allSatisfy { order[$0] == $0 } }

  /// The permutation that moves every channel back.
  package var inverse: ChannelPermutation {
    var places = order
    for (place, channel) in order.enumerated() { places[channel] = place }
    return ChannelPermutation(places)
  }
}

extension Array {
  /// The elements in a new order, one for each channel.
  package func permuted(by permutation: ChannelPermutation) -> [Element] {
    precondition(
      count == permutation.count, "permuted: \(count) values, \(permutation.count) channels")
    return permutation.order.map { self[$0] }
  }
}

extension Matrix {
  /// The rows in a new order.
  package func permuted(rows permutation: ChannelPermutation) -> Matrix {
    precondition(rows == permutation.count, "permuted: \(rows) rows, \(permutation.count) channels")
    return gather(rows: permutation.order)
  }

  /// The columns in a new order.
  package func permuted(
    columns permutation: ChannelPermutation, on compute: Compute = .automatic
  ) -> Matrix {
    precondition(
      columns == permutation.count, "permuted: \(columns) columns, \(permutation.count) channels")
    return Matrix(rows: rows, columns: columns) { out in
      values.withUnsafeBytes { bytes in
        nonisolated(unsafe) let (from, to) = (
          bytes.start, UnsafeMutableRawPointer(out.start)
        )
        permuteColumns(of: UInt32.self, rows: rows, permutation.order, from, to, compute)
      }
    }
  }
}

extension StoredMatrix {
  /// The rows in a new order, every value bit for bit; those of INT8 take their scales along.
  package func permuted(rows permutation: ChannelPermutation) -> StoredMatrix {
    precondition(rows == permutation.count, "permuted: \(rows) rows, \(permutation.count) channels")
    let moved = withBytes { out in
      bytes.withUnsafeBytes { bytes in
        for (row, old) in permutation.order.enumerated() {
          (out + row * rowBytes).copyMemory(
            from: bytes.start + old * rowBytes, byteCount: rowBytes)
        }
      }
    }
    return matrix(of: moved, on: grid?.permuted(rows: permutation))
  }

  /// The columns in a new order, every value bit for bit; those of INT8 must not have scales of their own.
  package func permuted(
    columns permutation: ChannelPermutation, on compute: Compute = .automatic
  ) -> StoredMatrix {
    precondition(
      columns == permutation.count, "permuted: \(columns) columns, \(permutation.count) channels")
    precondition(grid?.isPerChannel ?? true, "permuted: columns in groups with scales")
    let moved = withBytes { to in
      bytes.withUnsafeBytes { bytes in
        let (order, from) = (permutation.order, bytes.start)
        switch type.byteCount {
        case 1: permuteColumns(of: UInt8.self, rows: rows, order, from, to, compute)
        case 2: permuteColumns(of: UInt16.self, rows: rows, order, from, to, compute)
        default: permuteColumns(of: UInt32.self, rows: rows, order, from, to, compute)
        }
      }
    }
    return matrix(of: moved, on: grid)
  }

  /// As many bytes as this matrix has, which `fill` writes.
  private func withBytes(_ fill: (UnsafeMutableRawPointer) -> Void) -> ByteView {
    ByteView(count: bytes.count) { out in
      if let base = out.baseAddress { fill(base) }
    }
  }

  /// Other values of the same shape and type.
  private func matrix(of bytes: ByteView, on grid: Int8Grid?) -> StoredMatrix {
    if let grid { return StoredMatrix(codes: bytes, on: grid) }
    return StoredMatrix(rows: rows, columns: columns, type: type, bytes: bytes)
  }
}

extension Int8Grid {
  /// The grid of a weight whose rows are in a new order.
  func permuted(rows permutation: ChannelPermutation) -> Int8Grid {
    Int8Grid(
      rows: rows, columns: columns, groupSize: groupSize,
      scales: permutation.order.flatMap { scales[$0 * groups..<($0 + 1) * groups] })
  }
}

/// Copies rows of values that may lie anywhere, their columns in a new order.
private func permuteColumns<Bits: FixedWidthInteger & BitwiseCopyable & Sendable>(
  of type: Bits.Type, rows: Int, _ order: [Int], _ from: UnsafeRawPointer,
  _ to: UnsafeMutableRawPointer, _ compute: Compute
) {
  let size = MemoryLayout<Bits>.size
  let rowBytes = order.count * size
  nonisolated(unsafe) let (from, to) = (from, to)
  Parallel.forEachRange(of: rows, size: 64, threads: compute.threads) { range in
    for row in range {
      let (old, new) = (from + row * rowBytes, to + row * rowBytes)
      for (place, channel) in order.enumerated() {
        new.storeBytes(
          of: old.loadUnaligned(fromByteOffset: channel * size, as: Bits.self),
          toByteOffset: place * size, as: Bits.self)
      }
    }
  }
}

internal import Synchronization

/// Where the index nibble of each group of one weight lies in its metadata.
///
/// Every known layout places a group at a sum of two numbers, of which one depends on its row and the
/// other on its place within the row. Nibbles are counted from the start, a byte's low one first.
struct NibbleOrder: Sendable {
  /// The size of the metadata.
  let byteCount: Int
  /// What nibbles hold that are no group's.
  var padding: UInt8 = 0
  /// What a row adds to the places of its groups.
  ///
  /// Rows of different blocks of ``blockRows``, counted from row 0, must not share a byte.
  let row: @Sendable (Int) -> Int
  /// What a group adds by its number within the row.
  let group: @Sendable (Int) -> Int

  /// Threads take this many rows at once.
  static let blockRows = 64
  /// Groups of the rows of a block that are taken together, so that what they write stays in the
  /// nearest cache although it may be far apart.
  private static let blockGroups = 64

  /// Writes the metadata of the weight's mask, which is in the layout of ``Mask24``: all ``byteCount`` bytes.
  func write(
    _ mask: UnsafeRawBufferPointer, rows: Int, columns: Int,
    into out: UnsafeMutableRawBufferPointer, on compute: Compute
  ) {
    let rowBytes = Mask24.rowBytes(columns: columns)
    precondition(
      mask.count == rows * rowBytes && out.count == byteCount,
      "NibbleOrder: \(mask.count) bytes of a mask of \(rows) × \(columns) into \(out.count) of \(byteCount)"
    )
    out.initializeMemory(as: UInt8.self, repeating: padding | padding << 4)
    nonisolated(unsafe) let (bits, out) = (mask, out)
    let codes = Self.codes
    forEachRun(rows: rows, groups: columns / 4, on: compute) { row, groups, places in
      let start = self.row(row)
      for group in groups {
        let nibble = bits[row * rowBytes + group >> 1].nibble(group)
        let place = start + places[group]
        out[place >> 1].setNibble(place, to: codes[Int(nibble)])
      }
    }
  }

  /// The mask whose metadata this is.
  ///
  /// Padding may hold anything.
  ///
  /// - Throws: ``MetadataError/invalidNibble(_:row:group:)``.
  func mask(
    rows: Int, columns: Int, from metadata: UnsafeRawBufferPointer, on compute: Compute
  ) throws(MetadataError) -> Mask24 {
    precondition(
      metadata.count == byteCount, "NibbleOrder: \(byteCount) bytes from \(metadata.count)")
    nonisolated(unsafe) let metadata = metadata
    let (patterns, rowBytes) = (Self.patterns, Mask24.rowBytes(columns: columns))
    let isBroken = Atomic(false)
    let bytes = [UInt8](unsafeUninitializedCapacity: rows * rowBytes) { buffer, count in
      buffer.initialize(repeating: 0)
      count = rows * rowBytes
      nonisolated(unsafe) let bits = buffer
      forEachRun(rows: rows, groups: columns / 4, on: compute) { row, groups, places in
        let start = self.row(row)
        var areValid = true
        for group in groups {
          let place = start + places[group]
          let pattern = patterns[Int(metadata[place >> 1].nibble(place))]
          bits[row * rowBytes + group >> 1].setNibble(group, to: pattern)
          areValid = areValid && pattern != 0
        }
        if !areValid { isBroken.store(true, ordering: .relaxed) }
      }
    }
    if isBroken.load(ordering: .relaxed) {
      for row in 0..<rows {
        for group in 0..<columns / 4 {
          let place = self.row(row) + self.group(group)
          let nibble = metadata[place >> 1].nibble(place)
          if patterns[Int(nibble)] == 0 {
            throw .invalidNibble(nibble, row: row, group: group)
          }
        }
      }
    }
    return Mask24(rows: rows, columns: columns, bytes: bytes)
  }

  /// Calls `body` with every row and some neighbouring groups of it, until all have been taken; `places` are those of all groups.
  private func forEachRun(
    rows: Int, groups: Int, on compute: Compute,
    _ body: @Sendable (_ row: Int, _ groups: Range<Int>, _ places: [Int]) -> Void
  ) {
    guard rows > 0, groups > 0 else { return }
    let places = (0..<groups).map(group)
    Parallel.forEachRange(of: rows, size: Self.blockRows, threads: compute.threads) { block in
      for start in stride(from: 0, to: groups, by: Self.blockGroups) {
        let run = start..<min(start + Self.blockGroups, groups)
        for row in block { body(row, run, places) }
      }
    }
  }

  /// The index nibble of each pattern; 0, which is no index nibble, at all other places.
  private static let codes: [UInt8] = (0..<16).map { Pattern24(rawValue: $0)?.metadata ?? 0 }

  /// The pattern of each index nibble; 0, which is no pattern, of what is none.
  private static let patterns: [UInt8] = {
    var patterns = [UInt8](repeating: 0, count: 16)
    for pattern in Pattern24.allCases { patterns[Int(pattern.metadata)] = pattern.rawValue }
    return patterns
  }()
}

extension UInt8 {
  /// The upper half for an odd index, else the lower.
  fileprivate func nibble(_ index: Int) -> UInt8 {
    self &>> UInt8(truncatingIfNeeded: (index & 1) &<< 2) & 0xF
  }

  /// Puts a nibble in place of the upper half for an odd index, else of the lower.
  fileprivate mutating func setNibble(_ index: Int, to nibble: UInt8) {
    let shift = UInt8(truncatingIfNeeded: (index & 1) &<< 2)
    self = self & ~(0xF &<< shift) | nibble &<< shift
  }
}

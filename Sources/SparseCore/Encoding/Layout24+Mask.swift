internal import Synchronization

extension Layout24 {
  /// Throws for the first group of a mask that does not keep two of its four.
  static func check(
    _ mask: ByteView, rows: Int, columns: Int, on compute: Compute
  ) throws(CompressionError) {
    guard columns % 4 == 0 else { throw .columnsNotMultipleOfFour(columns: columns) }
    let rowBytes = Mask24.rowBytes(columns: columns)
    precondition(
      mask.count == rows * rowBytes,
      "Compressed24: a mask of \(rows) × \(columns) has \(rows * rowBytes) bytes, got \(mask.count)"
    )
    let first = Mutex<Int?>(nil)  // the first row with such a group
    Parallel.forEachRange(
      of: rows, size: max(1, 1 << 18 / max(1, rowBytes)), threads: compute.threads
    ) { range in
      for row in range
      where !keepsTwo(mask.bytes, row * rowBytes..<(row + 1) * rowBytes, columns) {
        first.withLock { $0 = min($0 ?? row, row) }
        return
      }
    }
    guard let row = first.withLock({ $0 }) else { return }
    for group in 0..<columns / 4 {
      let kept = (mask.bytes[row * rowBytes + group / 2] >> (group % 2 * 4) & 0xF).nonzeroBitCount
      if kept != 2 { throw .brokenMask(row: row, group: group, kept: kept) }
    }
    throw .maskBeyondColumns(row: row, columns: columns)
  }

  /// Whether every group of a row keeps two, and nothing is set behind the last one.
  private static func keepsTwo(
    _ mask: UnsafeRawBufferPointer, _ row: Range<Int>, _ columns: Int
  ) -> Bool {
    // The numbers of bits in the nibbles of a word, added up in pairs; each must be 2.
    func differs(_ word: UInt64) -> UInt64 {
      let pairs = word - (word >> 1 & 0x5555_5555_5555_5555)
      return ((pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333))
        ^ 0x2222_2222_2222_2222
    }
    var place = row.lowerBound
    var broken: UInt64 = 0
    while place + 8 <= row.upperBound - (columns % 8 == 0 ? 0 : 1) {
      broken |= differs(mask.loadUnaligned(fromByteOffset: place, as: UInt64.self))
      place += 8
    }
    while place < row.upperBound {
      let isHalf = columns % 8 != 0 && place == row.upperBound - 1
      broken |= differs(0x3333_3333_3333_3300 | UInt64(mask[place])) ^ (isHalf ? 0x20 : 0)
      place += 1
    }
    return broken == 0
  }
}

extension Layout24 {
  /// Throws for the first group of a whole weight's mask that does not keep two of its four.
  func check(_ mask: ByteView, rows: Int, on compute: Compute) throws(CompressionError) {
    precondition(
      mask.count == rows * maskBytes,
      "Compressed24: a mask of \(rows) × \(columns) has \(rows * maskBytes) bytes, got \(mask.count)"
    )
    let failure = FirstFailure()
    Parallel.forEachRange(
      of: rows, size: max(1, 1 << 18 / max(1, maskBytes)), threads: compute.threads
    ) { range in
      failure.record(range.lowerBound) {
        try check(mask[self.mask(of: range)], firstRow: range.lowerBound)
      }
    }
    do {
      try failure.get()
    } catch let error as CompressionError {
      throw error
    } catch {
      preconditionFailure("Layout24: \(error)")
    }
  }

  /// Throws for the first group in the mask of some rows that does not keep two of its four, or for bits
  /// behind the last column.
  ///
  /// - Parameter firstRow: the number of the first of these rows in their weight.
  package func check(_ mask: ByteView, firstRow: Int) throws(CompressionError) {
    guard columns % 4 == 0 else { throw .columnsNotMultipleOfFour(columns: columns) }
    for row in 0..<mask.count / max(1, maskBytes) {
      let bytes = row * maskBytes..<(row + 1) * maskBytes
      if mask.withUnsafeBytes({ keepsTwo($0, bytes) }) { continue }
      for group in 0..<columns / 4 {
        let byte = mask.withUnsafeBytes { $0[bytes.lowerBound + group / 2] }
        let kept = (byte >> (group % 2 * 4) & 0xF).nonzeroBitCount
        if kept != 2 { throw .brokenMask(row: firstRow + row, group: group, kept: kept) }
      }
      throw .maskBeyondColumns(row: firstRow + row, columns: columns)
    }
  }

  /// Whether every group of a row keeps two, and nothing is set behind the last one.
  private func keepsTwo(_ mask: UnsafeRawBufferPointer, _ row: Range<Int>) -> Bool {
    // The numbers of bits in the nibbles of a word, added up in pairs; each must be 2.
    func differs(_ word: UInt64) -> UInt64 {
      let pairs = word - (word >> 1 & 0x5555_5555_5555_5555)
      return ((pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333))
        ^ 0x2222_2222_2222_2222
    }
    let hasHalf = columns % 8 != 0
    var broken: UInt64 = 0
    var place = row.lowerBound
    while place + 8 <= row.upperBound - (hasHalf ? 1 : 0) {
      broken |= differs(mask.loadUnaligned(fromByteOffset: place, as: UInt64.self))
      place += 8
    }
    while place < row.upperBound {
      let isHalf = hasHalf && place == row.upperBound - 1
      broken |= differs(0x3333_3333_3333_3300 | UInt64(mask[place])) ^ (isHalf ? 0x20 : 0)
      place += 1
    }
    return broken == 0
  }
}

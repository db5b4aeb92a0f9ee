internal import Synchronization

/// How the rows of a weight lie in its dense and in its compressed form, and the way from one to the other.
package struct Layout24: Sendable {
  /// The number of columns of the whole weight.
  package let columns: Int
  /// The number format.
  package let type: ScalarType

  /// The layout of rows of `columns` values.
  package init(columns: Int, type: ScalarType) {
    self.columns = columns
    self.type = type
  }

  /// The bytes of a row of the whole weight.
  package var denseBytes: Int { columns * type.byteCount }
  /// The bytes of a row's kept values.
  package var valueBytes: Int { columns / 2 * type.byteCount }
  /// The bytes of a row of the mask.
  package var maskBytes: Int { Mask24.rowBytes(columns: columns) }

  /// Where some rows lie in the whole weight.
  package func dense(of rows: Range<Int>) -> Range<Int> { rows.scaled(by: denseBytes) }
  /// Where their kept values lie.
  package func values(of rows: Range<Int>) -> Range<Int> { rows.scaled(by: valueBytes) }
  /// Where their mask lies.
  package func mask(of rows: Range<Int>) -> Range<Int> { rows.scaled(by: maskBytes) }

  /// Rows for one thread to take at a time: both forms of them fit in a second-level cache.
  package var rowsPerPiece: Int { max(1, (1 << 19) / max(1, denseBytes)) }

  /// Compresses some whole rows; the number of groups that are not 2:4, and only if there is none the
  /// outputs mean anything.
  package func compress(
    _ weight: UnsafeRawBufferPointer, filler: Filler24, values: UnsafeMutableRawBufferPointer,
    mask: UnsafeMutableRawBufferPointer, kernels: KernelSet
  ) -> Int {
    guard let from = weight.baseAddress, let values = values.baseAddress,
      let mask = mask.baseAddress?.assumingMemoryBound(to: UInt8.self)
    else { return 0 }
    var violations = 0
    forEachStretch(of: weight.count / max(1, denseBytes)) { rows, count in
      let row = rows.lowerBound
      violations += kernels.compress24(
        count, type, from + row * denseBytes, filler: filler.table,
        values: values + row * valueBytes, mask: mask + row * maskBytes)
    }
    return violations
  }

  /// Expands some whole rows.
  package func expand(
    _ values: UnsafeRawBufferPointer, mask: UnsafeRawBufferPointer,
    into out: UnsafeMutableRawBufferPointer, kernels: KernelSet
  ) {
    guard let values = values.baseAddress, let start = out.baseAddress,
      let mask = mask.baseAddress?.assumingMemoryBound(to: UInt8.self)
    else { return }
    forEachStretch(of: out.count / max(1, denseBytes)) { rows, count in
      let row = rows.lowerBound
      kernels.expand24(
        count, type, values + row * valueBytes, mask: mask + row * maskBytes,
        into: start + row * denseBytes)
    }
  }

  /// Calls `body` with rows whose mask has no gap between them, and the number of their values.
  private func forEachStretch(of rows: Int, _ body: (_ rows: Range<Int>, _ count: Int) -> Void) {
    if columns % 8 == 0 { return body(0..<rows, rows * columns) }
    for row in 0..<rows { body(row..<row + 1, columns) }
  }
}

extension Range<Int> {
  fileprivate func scaled(by factor: Int) -> Range<Int> {
    lowerBound * factor..<upperBound * factor
  }
}

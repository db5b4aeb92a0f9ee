/// A weight whose float32 rows are made when they are asked for, some at a time, so that all of them are never in memory at once.
///
/// The rows of a weight do not know of each other: whatever is done to them row by row has the same bits in
/// any pieces.
package struct RowSource: Sendable {
  /// The number of rows.
  package let rows: Int
  /// The number of columns.
  package let columns: Int
  private let make: @Sendable (Range<Int>, Compute) -> Matrix

  /// The rows that `make` gives: for any range of them that many, the same whichever others are asked for with them.
  package init(
    rows: Int, columns: Int, _ make: @escaping @Sendable (Range<Int>, Compute) -> Matrix
  ) {
    self.rows = rows
    self.columns = columns
    self.make = make
  }

  /// The rows of a stored matrix.
  package init(_ stored: StoredMatrix) {
    self.init(rows: stored.rows, columns: stored.columns) { Matrix(stored.rows($0), on: $1) }
  }

  /// The rows of a matrix.
  package init(_ matrix: Matrix) {
    self.init(rows: matrix.rows, columns: matrix.columns) { rows, _ in
      let columns = matrix.columns
      return Matrix(
        rows: rows.count, columns: columns,
        Array(matrix.values[rows.lowerBound * columns..<rows.upperBound * columns]))
    }
  }

  /// Some neighbouring rows.
  package func rows(_ range: Range<Int>, on compute: Compute) -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows,
      "RowSource: \(range) is outside 0..<\(rows)")
    let matrix = make(range, compute)
    precondition(
      matrix.rows == range.count && matrix.columns == columns,
      "RowSource: \(matrix.rows) × \(matrix.columns) for \(range.count) rows of \(columns)")
    return matrix
  }

  /// The rows changed by a function that works row by row and leaves the shape as it is.
  package func map(_ change: @escaping @Sendable (Matrix, Compute) -> Matrix) -> RowSource {
    RowSource(rows: rows, columns: columns) { change(rows($0, on: $1), $1) }
  }

  /// The rows minus those of another weight of the same shape.
  package func minus(_ other: RowSource) -> RowSource {
    precondition(
      rows == other.rows && columns == other.columns,
      "minus: \(rows) × \(columns) and \(other.rows) × \(other.columns)")
    return RowSource(rows: rows, columns: columns) {
      rows($0, on: $1).minus(other.rows($0, on: $1))
    }
  }

  /// Calls `body` with all rows in order, at most `count` at a time.
  package func forEach(
    _ count: Int, on compute: Compute, _ body: (Range<Int>, Matrix) throws -> Void
  )
    rethrows
  {
    for start in stride(from: 0, to: rows, by: max(1, count)) {
      let range = start..<min(start + max(1, count), rows)
      try body(range, rows(range, on: compute))
    }
  }

  /// The rows of a panel: what solvers and products take together at least.
  package static let panelRows = KernelSet.panelWidth

  /// As many rows as take about `bytes` in float32, in whole panels and at least one of them.
  package static func rows(inBytes bytes: Int, columns: Int) -> Int {
    let panel = 4 * KernelSet.panelWidth * max(1, columns)
    return max(1, bytes / panel) * KernelSet.panelWidth
  }

  /// The rows that a pass over a weight makes at a time: 8 MiB of float32.
  package var rowsAtOnce: Int { RowSource.rows(inBytes: 8 << 20, columns: columns) }
}

extension PackedWeight {
  /// Packs a weight whose rows are made a panel at a time.
  package convenience init(_ weight: RowSource, on compute: Compute = .automatic) {
    let one = Compute(kernels: compute.kernels, threads: 1)
    self.init(outputs: weight.rows, inputs: weight.columns, on: compute) { rows, panel in
      weight.rows(rows, on: one).pack(into: panel, kernels: compute.kernels)
    }
  }
}

/// The product with a weight that is made a panel of 48 rows at a time and gone after it, with the bits of a packed one.
package func linear(
  _ x: Matrix, _ weight: RowSource, on compute: Compute = .automatic
) -> Matrix {
  checkInputs(x, weight.columns)
  let (outputs, inputs, width) = (weight.rows, weight.columns, KernelSet.panelWidth)
  let one = Compute(kernels: compute.kernels, threads: 1)
  return Matrix(rows: x.rows, columns: outputs) { out in
    x.values.withUnsafeBufferPointer { values in
      nonisolated(unsafe) let (from, to) = (values.start, out.start)
      Parallel.forEachRange(of: outputs, size: width, threads: compute.threads) { rows in
        AlignedFloats.withScratch(count: inputs * width) { panel in
          weight.rows(rows, on: one).pack(into: panel, kernels: compute.kernels)
          compute.kernels.gemm(
            tokens: x.rows, outputs: rows.count, inputs: inputs, from, stride: inputs,
            panels: panel, panelStride: inputs * width, into: to + rows.lowerBound,
            outStride: outputs, accumulate: false)
        }
      }
    }
  }
}

extension Matrix {
  /// Writes the panel of up to 48 rows: [columns][48].
  fileprivate func pack(into panel: UnsafeMutablePointer<Float>, kernels: KernelSet) {
    values.withUnsafeBytes { bytes in
      kernels.pack(
        outputs: rows, inputs: columns, .float32, bytes.start, rowBytes: 4 * columns, into: panel)
    }
  }
}

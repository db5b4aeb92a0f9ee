/// Rows per piece of element-wise work, so that a piece has at least some tens of thousands of values.
private func rowBlock(_ columns: Int) -> Int { max(1, 1 << 15 / max(1, columns)) }

/// Root-mean-square normalisation of each row: x / √(mean x² + ε) · weight (Zhang & Sennrich 2019, arXiv 1910.07467).
///
/// The mean is taken in float64.
public func rmsNorm(
  _ x: Matrix, weight: [Float], epsilon: Float, on compute: Compute = .automatic
) -> Matrix {
  precondition(
    weight.count == x.columns, "rmsNorm: \(x.columns) columns, \(weight.count) weights")
  let columns = x.columns
  return Matrix(rows: x.rows, columns: columns) { out in
    x.values.withUnsafeBufferPointer { values in
      weight.withUnsafeBufferPointer { weight in
        nonisolated(unsafe) let (from, scale, to) = (values.start, weight.start, out.start)
        Parallel.forEachRange(of: x.rows, size: rowBlock(columns), threads: compute.threads) {
          for row in $0 {
            compute.kernels.rmsNorm(
              columns, from + row * columns, weight: scale, epsilon: epsilon,
              into: to + row * columns)
          }
        }
      }
    }
  }
}

/// gate ← silu(gate) · up, where silu(g) = g / (1 + e^−g): the gated MLP's middle.
package func siluMultiply(
  gate: inout Matrix, up: Matrix, on compute: Compute = .automatic
) {
  precondition(
    gate.rows == up.rows && gate.columns == up.columns,
    "siluMultiply: gate is \(gate.rows) × \(gate.columns), up \(up.rows) × \(up.columns)")
  let count = gate.values.count
  gate.values.withUnsafeMutableBufferPointer { gate in
    up.values.withUnsafeBufferPointer { up in
      nonisolated(unsafe) let (gates, ups) = (gate.start, up.start)
      Parallel.forEachRange(of: count, size: 1 << 15, threads: compute.threads) {
        let start = $0.lowerBound
        compute.kernels.siluMultiply(
          $0.count, gate: gates + start, up: ups + start, into: gates + start)
      }
    }
  }
}

/// Adds `row` to every row of `x`: a linear layer's bias.
package func addRow(_ row: [Float], to x: inout Matrix, on compute: Compute = .automatic) {
  precondition(row.count == x.columns, "addRow: \(x.columns) columns, \(row.count) values")
  let columns = x.columns
  let rows = x.rows
  x.values.withUnsafeMutableBufferPointer { values in
    row.withUnsafeBufferPointer { row in
      nonisolated(unsafe) let (row, x) = (row.start, values.start)
      Parallel.forEachRange(of: rows, size: rowBlock(columns), threads: compute.threads) {
        for index in $0 { compute.kernels.axpy(columns, 1, row, x + index * columns) }
      }
    }
  }
}

/// y ← y + x.
package func add(_ x: Matrix, to y: inout Matrix, on compute: Compute = .automatic) {
  precondition(
    x.rows == y.rows && x.columns == y.columns,
    "add: x is \(x.rows) × \(x.columns), y \(y.rows) × \(y.columns)")
  let count = x.values.count
  y.values.withUnsafeMutableBufferPointer { y in
    x.values.withUnsafeBufferPointer { x in
      nonisolated(unsafe) let (x, y) = (x.start, y.start)
      Parallel.forEachRange(of: count, size: 1 << 16, threads: compute.threads) {
        compute.kernels.axpy($0.count, 1, x + $0.lowerBound, y + $0.lowerBound)
      }
    }
  }
}

/// Rotary position embedding of the heads of each row, in place (arXiv 2104.09864).
///
/// The first half of a head turns against its second half, as Hugging Face checkpoints expect. Row r of
/// `cosines` and `sines` (positions × headWidth / 2) belongs to position r; row t of `x` is at
/// `firstPosition + t % sequenceLength`.
package func rotate(
  _ x: inout Matrix, headWidth: Int, cosines: Matrix, sines: Matrix, firstPosition: Int = 0,
  sequenceLength: Int, on compute: Compute = .automatic
) {
  precondition(
    headWidth > 0 && x.columns % headWidth == 0,
    "rotate: \(x.columns) columns are not heads of \(headWidth)")
  precondition(
    cosines.columns == headWidth / 2 && sines.columns == headWidth / 2,
    "rotate: heads of \(headWidth) need \(headWidth / 2) angles, got \(cosines.columns)")
  precondition(sequenceLength > 0, "rotate: sequences of \(sequenceLength)")
  let needed = firstPosition + min(sequenceLength, x.rows)
  precondition(
    cosines.rows >= needed && sines.rows >= needed,
    "rotate: \(needed) positions, angles for \(min(cosines.rows, sines.rows))")
  let (rows, columns) = (x.rows, x.columns)
  x.values.withUnsafeMutableBufferPointer { values in
    cosines.values.withUnsafeBufferPointer { cosines in
      sines.values.withUnsafeBufferPointer { sines in
        nonisolated(unsafe) let (x, c, s) = (values.start, cosines.start, sines.start)
        Parallel.forEachRange(of: rows, size: rowBlock(columns), threads: compute.threads) {
          for row in $0 {
            let angles = (firstPosition + row % sequenceLength) * (headWidth / 2)
            compute.kernels.rotate(
              heads: columns / headWidth, width: headWidth, cosines: c + angles, sines: s + angles,
              x + row * columns)
          }
        }
      }
    }
  }
}

/// Turns each row of logits into probabilities, in place.
package func softmaxRows(_ x: inout Matrix, on compute: Compute = .automatic) {
  let (rows, columns) = (x.rows, x.columns)
  x.values.withUnsafeMutableBufferPointer { values in
    nonisolated(unsafe) let x = values.start
    Parallel.forEachRange(of: rows, size: rowBlock(columns), threads: compute.threads) {
      for row in $0 { compute.kernels.softmax(columns, x + row * columns) }
    }
  }
}

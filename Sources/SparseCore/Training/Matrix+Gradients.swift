extension PackedWeight {
  /// A float32 weight packed the other way round: what the gradient of its outputs is multiplied with to give that of its inputs.
  package convenience init(transposing weight: Matrix, on compute: Compute = .automatic) {
    self.init(outputs: weight.columns, inputs: weight.rows, on: compute) { columns, panel in
      weight.values.withUnsafeBufferPointer { values in
        compute.kernels.packColumns(
          rows: weight.rows, columns: columns.count, values.start + columns.lowerBound,
          stride: weight.columns, into: panel, panelStride: KernelSet.panelWidth * weight.rows)
      }
    }
  }
}

/// Adds `gradientᵀ x` to the gradient of a weight: `tokens × outputs` and `tokens × inputs` give `outputs × inputs`.
///
/// Each value is one chain of float32 multiply-adds over the tokens that starts from what is there, so neither
/// the threads nor the splitting of the tokens into calls changes a bit.
package func addWeightGradient(
  of gradient: Matrix, _ x: Matrix, to sum: inout Matrix, on compute: Compute = .automatic
) {
  let (tokens, outputs, inputs) = (x.rows, gradient.columns, x.columns)
  precondition(
    gradient.rows == tokens, "addWeightGradient: \(gradient.rows) gradients for \(tokens) tokens")
  precondition(
    sum.rows == outputs && sum.columns == inputs,
    "addWeightGradient: the sum is \(sum.rows) × \(sum.columns), expected \(outputs) × \(inputs)")
  let panel = KernelSet.panelWidth
  let (rowPanels, columnPanels) = (KernelSet.panels(for: outputs), KernelSet.panels(for: inputs))
  let depth = min(WeightGradientTiles.depth, max(1, tokens))
  let tiles = WeightGradientTiles(rows: rowPanels, columns: columnPanels)
  let packed = AlignedFloats(count: (rowPanels + columnPanels) * panel * depth)
  sum.values.withUnsafeMutableBufferPointer { sums in
    gradient.values.withUnsafeBufferPointer { gradient in
      x.values.withUnsafeBufferPointer { x in
        nonisolated(unsafe) let (a, b, out) = (gradient.start, x.start, sums.start)
        for first in stride(from: 0, to: tokens, by: depth) {
          let count = min(depth, tokens - first)
          let panelSize = panel * count
          Parallel.forEach(rowPanels + columnPanels, threads: compute.threads) { index in
            let isRow = index < rowPanels
            let column = (isRow ? index : index - rowPanels) * panel
            let width = isRow ? outputs : inputs
            compute.kernels.packColumns(
              rows: count, columns: min(panel, width - column),
              (isRow ? a : b) + first * width + column, stride: width,
              into: packed.pointer + index * panelSize, panelStride: panelSize)
          }
          Parallel.forEach(tiles.count, threads: compute.threads) { index in
            let (rows, columns) = tiles[index]
            for row in rows {
              for column in columns {
                compute.kernels.outerProduct(
                  tokens: count, rows: min(panel, outputs - row * panel),
                  columns: min(panel, inputs - column * panel),
                  packed.pointer + row * panelSize, stride: panel,
                  packed.pointer + (rowPanels + column) * panelSize,
                  into: out + row * panel * inputs + column * panel, outStride: inputs)
              }
            }
          }
        }
      }
    }
  }
}

/// Squares of panels that one piece of work multiplies: 4 + 4 panels of 384 tokens take 576 KB of a second-level cache.
private struct WeightGradientTiles {
  /// Tokens per pass.
  static let depth = 384
  private static let side = 4

  let rows: Int
  let columns: Int

  private static func blocks(_ panels: Int) -> Int { (panels + side - 1) / side }

  var count: Int { Self.blocks(rows) * Self.blocks(columns) }

  subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let row = index / Self.blocks(columns) * Self.side
    let column = index % Self.blocks(columns) * Self.side
    return (
      row..<min(row + Self.side, rows), column..<min(column + Self.side, columns)
    )
  }
}

/// Adds the sum of all rows of `gradient` to the one row of `sum`: the gradient of a bias.
package func addColumnSums(
  of gradient: Matrix, to sum: inout Matrix, on compute: Compute = .automatic
) {
  precondition(
    sum.rows == 1 && sum.columns == gradient.columns,
    "addColumnSums: \(gradient.columns) columns, the sums are \(sum.rows) × \(sum.columns)")
  let (rows, columns) = (gradient.rows, gradient.columns)
  sum.values.withUnsafeMutableBufferPointer { sum in
    gradient.values.withUnsafeBufferPointer { values in
      nonisolated(unsafe) let (from, to) = (values.start, sum.start)
      Parallel.forEachRange(of: columns, size: 64, threads: compute.threads) { range in
        for row in 0..<rows {
          compute.kernels.axpy(
            range.count, 1, from + row * columns + range.lowerBound, to + range.lowerBound)
        }
      }
    }
  }
}

/// The way back through ``rmsNorm(_:weight:epsilon:on:)``: adds to the gradients of `x` and of the weight what follows from that of the outputs.
///
/// The weight's gradient, a single row, is summed over blocks of 256 rows, and these in order.
package func addRMSNormGradient(
  of gradient: Matrix, _ x: Matrix, weight: [Float], epsilon: Float, to xGradient: inout Matrix,
  weightGradient: inout Matrix, on compute: Compute = .automatic
) {
  precondition(
    weight.count == x.columns, "addRMSNormGradient: \(x.columns) columns, \(weight.count) weights")
  for other in [gradient, xGradient] {
    precondition(
      other.rows == x.rows && other.columns == x.columns,
      "addRMSNormGradient: x is \(x.rows) × \(x.columns), a gradient \(other.rows) × \(other.columns)"
    )
  }
  let (rows, columns, block) = (x.rows, x.columns, 256)
  let blocks = (rows + block - 1) / block
  var sums = Matrix(rows: blocks, columns: columns)
  sums.values.withUnsafeMutableBufferPointer { sums in
    xGradient.values.withUnsafeMutableBufferPointer { xGradient in
      x.values.withUnsafeBufferPointer { x in
        gradient.values.withUnsafeBufferPointer { gradient in
          weight.withUnsafeBufferPointer { weight in
            nonisolated(unsafe) let (x, weight, from) = (x.start, weight.start, gradient.start)
            nonisolated(unsafe) let (to, sums) = (xGradient.start, sums.start)
            Parallel.forEachRange(of: rows, size: block, threads: compute.threads) { range in
              for row in range {
                compute.kernels.rmsNormBackward(
                  columns, x + row * columns, weight: weight, epsilon: epsilon,
                  gradient: from + row * columns, xGradient: to + row * columns,
                  weightGradient: sums + range.lowerBound / block * columns)
              }
            }
          }
        }
      }
    }
  }
  addColumnSums(of: sums, to: &weightGradient, on: compute)
}

/// The way back through ``siluMultiply(gate:up:on:)``: puts into `gate` and `up` their own gradients, which follow from that of the outputs.
package func siluMultiplyGradient(
  of gradient: Matrix, gate: inout Matrix, up: inout Matrix, on compute: Compute = .automatic
) {
  for other in [gate, up] {
    precondition(
      other.rows == gradient.rows && other.columns == gradient.columns,
      "siluMultiplyGradient: gate or up is \(other.rows) × \(other.columns), the gradient \(gradient.rows) × \(gradient.columns)"
    )
  }
  let count = gradient.values.count
  gate.values.withUnsafeMutableBufferPointer { gate in
    up.values.withUnsafeMutableBufferPointer { up in
      gradient.values.withUnsafeBufferPointer { gradient in
        nonisolated(unsafe) let (gate, up, from) = (gate.start, up.start, gradient.start)
        Parallel.forEachRange(of: count, size: 1 << 15, threads: compute.threads) {
          let start = $0.lowerBound
          compute.kernels.siluMultiplyBackward(
            $0.count, gate: gate + start, up: up + start, gradient: from + start)
        }
      }
    }
  }
}

/// Adds each row of `gradient` to the row of `table` that it is the embedding of: the way back through an embedding.
///
/// Tokens are taken in order, so the threads, which share the columns, change no bit.
package func addEmbeddingGradient(
  of gradient: Matrix, ids: [Int32], to table: inout Matrix, on compute: Compute = .automatic
) {
  precondition(
    gradient.rows == ids.count && gradient.columns == table.columns,
    "addEmbeddingGradient: \(gradient.rows) × \(gradient.columns) for \(ids.count) tokens of \(table.columns)"
  )
  let columns = table.columns
  for id in ids {
    precondition(
      id >= 0 && Int(id) < table.rows, "addEmbeddingGradient: token \(id) of \(table.rows)")
  }
  table.values.withUnsafeMutableBufferPointer { table in
    gradient.values.withUnsafeBufferPointer { gradient in
      nonisolated(unsafe) let (from, to) = (gradient.start, table.start)
      Parallel.forEachRange(of: columns, size: 64, threads: compute.threads) { range in
        for (token, id) in ids.enumerated() {
          compute.kernels.axpy(
            range.count, 1, from + token * columns + range.lowerBound,
            to + Int(id) * columns + range.lowerBound)
        }
      }
    }
  }
}

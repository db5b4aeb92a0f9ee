/// Columns of a row that are worked on at once: two arrays of the kept half of them take 4 KB of the first-level cache.
private let blockColumns = 1024

/// A parameter's values where they are: valid during one pass over them.
private struct ParameterValues {
  let weights: UnsafeMutablePointer<Float>
  let gradients: UnsafeMutablePointer<Float>
  let moments: UnsafeMutablePointer<Float>
  /// The mask's bytes; nil where all weights are trained.
  let mask: UnsafePointer<UInt8>?
}

/// Some columns of a row.
private struct Block {
  /// The index of its first value among all of the parameter.
  let start: Int
  /// How many values it has.
  let count: Int
  /// The index of its first byte in the mask.
  let maskStart: Int
}

/// The passes over a parameter's values, block after block of a row; some rows are a piece for a thread.
extension MaskedOptimizer.Parameter {
  /// Σ g² over the trained weights' gradients, in float64.
  ///
  /// Blocks are added up in the order of a row, rows in that of a piece, and then the pieces, whose size depends on
  /// the shape alone.
  func squareSum(of gradient: [Float], on compute: Compute) -> Double {
    let kernels = compute.kernels
    return gradient.withUnsafeBufferPointer { gradient in
      withMask { mask in
        nonisolated(unsafe) let (gradient, mask) = (gradient.start, mask)
        let sums = Parallel.map(pieceCount, threads: compute.threads) { piece in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: blockColumns / 2) { kept in
            var sum = 0.0
            forEachBlock(ofPiece: piece) { block in
              let values = gradient + block.start
              if let mask {
                kernels.keep24(
                  block.count, values, mask: mask + block.maskStart, into: kept.start)
                sum += kernels.squareSum(block.count / 2, kept.start)
              } else {
                sum += kernels.squareSum(block.count, values)
              }
            }
            return sum
          }
        }
        return sums.reduce(0, +)
      }
    }
  }

  /// How many trained weights have a gradient that is NaN or infinite.
  func countNotFinite(in gradient: Matrix) -> Int {
    (0..<rows).reduce(0) { total, row in
      total
        + (0..<columns).count { column in
          !gradient[row, column].isFinite && mask?.keeps(row: row, column: column) != false
        }
    }
  }

  /// Scales the gradients, updates the weights by them, and clears both where the mask prunes.
  func update(
    _ weights: inout [Float], gradients: inout [Float], moments: inout [Float], momentCount: Int,
    gradientFactor: Float, on compute: Compute, by update: @Sendable (OptimizerBlock) -> Void
  ) {
    weights.withUnsafeMutableBufferPointer { weights in
      gradients.withUnsafeMutableBufferPointer { gradients in
        moments.withUnsafeMutableBufferPointer { moments in
          withMask { mask in
            nonisolated(unsafe) let values = ParameterValues(
              weights: weights.start, gradients: gradients.start, moments: moments.start,
              mask: mask)
            Parallel.forEach(pieceCount, threads: compute.threads) { piece in
              withUnsafeTemporaryAllocation(of: Float.self, capacity: blockColumns) { scratch in
                forEachBlock(ofPiece: piece) { block in
                  withTrained(values, block, scratch.start, on: compute.kernels) {
                    weights, gradients, moments, count in
                    if gradientFactor != 1 {
                      compute.kernels.scale(count, by: gradientFactor, gradients)
                    }
                    update(
                      OptimizerBlock(
                        weights: UnsafeMutableBufferPointer(start: weights, count: count),
                        gradients: UnsafeBufferPointer(start: gradients, count: count),
                        moments: moments, momentStride: rows * trainedColumns,
                        momentCount: momentCount))
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  /// Calls `body` with the block's trained weights, gradients and first moments, each side by side: where they are or,
  /// of a masked row, in `scratch`, from where weights and gradients go back with zeros between them.
  private func withTrained(
    _ values: ParameterValues, _ block: Block, _ scratch: UnsafeMutablePointer<Float>,
    on kernels: KernelSet,
    _ body: (
      _ weights: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
      _ moments: UnsafeMutablePointer<Float>, _ count: Int
    ) -> Void
  ) {
    let (weights, gradients) = (values.weights + block.start, values.gradients + block.start)
    guard let mask = values.mask.map({ $0 + block.maskStart }) else {
      return body(weights, gradients, values.moments + block.start, block.count)
    }
    let (keptWeights, keptGradients) = (scratch, scratch + blockColumns / 2)
    kernels.keep24(block.count, weights, mask: mask, into: keptWeights)
    kernels.keep24(block.count, gradients, mask: mask, into: keptGradients)
    body(keptWeights, keptGradients, values.moments + block.start / 2, block.count / 2)
    kernels.expand24(block.count, .float32, keptWeights, mask: mask, into: weights)
    kernels.expand24(block.count, .float32, keptGradients, mask: mask, into: gradients)
  }

  private func withMask<Result>(_ body: (UnsafePointer<UInt8>?) -> Result) -> Result {
    guard let mask else { return body(nil) }
    return mask.bytes.withUnsafeBufferPointer { body($0.start) }
  }

  /// Rows of a piece, so that it has some tens of thousands of values.
  private var pieceRows: Int { max(1, 1 << 15 / max(1, columns)) }

  private var pieceCount: Int { (rows + pieceRows - 1) / pieceRows }

  private func forEachBlock(ofPiece piece: Int, _ body: (Block) -> Void) {
    for row in piece * pieceRows..<min((piece + 1) * pieceRows, rows) {
      for column in stride(from: 0, to: columns, by: blockColumns) {
        body(
          Block(
            start: row * columns + column, count: min(blockColumns, columns - column),
            maskStart: row * Mask24.rowBytes(columns: columns) + column / 8))
      }
    }
  }
}

/// How far the outputs of a block are from those they should be, and the gradient of that.
///
/// A token's loss is ‖y − t‖² / ‖t‖², so that the few tokens with huge activations count no more than others;
/// a token whose target is 0 counts nothing. Where either is NaN or infinite, so is the sum.
///
/// - Parameters:
///   - outputs: y, tokens × width; becomes the gradient of the tokens' mean loss times the width, which
///     brings it to the size of one of mean squares.
///   - targets: t, likewise.
/// - Returns: the sum of all tokens' losses.
package func reconstructionGradient(
  outputs: inout Matrix, targets: Matrix, on compute: Compute = .automatic
) -> Double {
  precondition(
    outputs.rows == targets.rows && outputs.columns == targets.columns,
    "reconstructionGradient: outputs are \(outputs.rows) × \(outputs.columns), targets \(targets.rows) × \(targets.columns)"
  )
  let (rows, columns) = (outputs.rows, outputs.columns)
  let losses = outputs.values.withUnsafeMutableBufferPointer { outputs in
    targets.values.withUnsafeBufferPointer { targets in
      nonisolated(unsafe) let (y, t) = (outputs.start, targets.start)
      return Parallel.map(rows, threads: compute.threads) { row in
        let (y, t) = (y + row * columns, t + row * columns)
        let size = Double(compute.kernels.dot(columns, t, t))
        compute.kernels.axpy(columns, -1, t, y)
        let distance = Double(compute.kernels.dot(columns, y, y))
        let factor = size > 0 ? 2 * Double(columns) / (size * Double(rows)) : 0
        compute.kernels.scaledAdd(columns, 0, t, Float(factor), y)
        guard size.isFinite else { return Double.nan }
        return size > 0 ? distance / size : 0
      }
    }
  }
  return losses.reduce(0, +)
}

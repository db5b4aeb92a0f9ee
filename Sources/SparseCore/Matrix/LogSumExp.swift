/// log Σ e^x of each of some rows whose values come in blocks of columns: the normaliser of logits that are
/// never all in memory at once.
///
/// The sums are float64, and blocks enter in order, so the bits depend on the blocks' widths but not on the threads.
package struct LogSumExp: Sendable {
  /// The largest value of each row so far.
  private(set) var maxima: [Float]
  private var sums: [Double]
  private var isFinite: [Bool]

  package init(rows: Int) {
    maxima = [Float](repeating: -.infinity, count: rows)
    sums = [Double](repeating: 0, count: rows)
    isFinite = [Bool](repeating: true, count: rows)
  }

  /// Takes in the next block of columns of every row.
  package mutating func add(_ block: Matrix, on compute: Compute = .automatic) {
    precondition(
      block.rows == maxima.count, "LogSumExp: \(block.rows) rows, expected \(maxima.count)")
    let (rows, columns) = (block.rows, block.columns)
    block.values.withUnsafeBufferPointer { values in
      maxima.withUnsafeMutableBufferPointer { maxima in
        sums.withUnsafeMutableBufferPointer { sums in
          isFinite.withUnsafeMutableBufferPointer { isFinite in
            nonisolated(unsafe) let (x, highest, total) = (values.start, maxima.start, sums.start)
            nonisolated(unsafe) let isFinite = isFinite.start
            let size = max(1, 1 << 14 / max(1, columns))
            Parallel.forEachRange(of: rows, size: size, threads: compute.threads) {
              for row in $0 {
                let x = x + row * columns
                compute.kernels.logSumExp(
                  columns, x, maximum: &highest[row], sum: &total[row])
                // The values are in the nearest cache now.
                if compute.kernels.countNotFinite(columns, .float32, x) > 0 {
                  isFinite[row] = false
                }
              }
            }
          }
        }
      }
    }
  }

  /// The first row that has had NaN or infinity among its values; nil where there is none.
  package var firstNotFinite: Int? { isFinite.firstIndex(of: false) }

  /// log Σ e^x of each row, over all blocks so far; −infinity for none.
  package var values: [Double] {
    zip(maxima, sums).map { Double($0) + Math.logarithm($1) }
  }
}

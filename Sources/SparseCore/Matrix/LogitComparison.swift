/// How far the distributions that two models give the next token are apart, row by row, from logits that come
/// in blocks of columns and are never all in memory at once.
///
/// As with ``LogSumExp`` the bits depend on the blocks' widths but not on the threads.
package struct LogitComparison: Sendable {
  private var reference: [Row]
  private var other: LogSumExp
  private var otherTops: [Int]
  private var columns = 0

  private struct Row: Sendable {
    var maximum = -Float.infinity
    var sum = 0.0
    var difference = 0.0  // Σ e^(reference − maximum) · (reference − other)
    var top = 0  // the column of the maximum, the first of equal ones
    var isFinite = true
  }

  package init(rows: Int) {
    reference = [Row](repeating: Row(), count: rows)
    other = LogSumExp(rows: rows)
    otherTops = [Int](repeating: 0, count: rows)
  }

  /// Takes in the next block of columns of every row: logits of the reference and of the other model.
  package mutating func add(
    _ reference: Matrix, _ other: Matrix, on compute: Compute = .automatic
  ) {
    precondition(
      reference.rows == self.reference.count && other.rows == reference.rows
        && other.columns == reference.columns,
      "LogitComparison: \(reference.rows) × \(reference.columns) and \(other.rows) × \(other.columns), expected \(self.reference.count) rows"
    )
    let (rows, width, first) = (reference.rows, reference.columns, columns)
    let before = self.other.maxima
    self.other.add(other, on: compute)
    let after = self.other.maxima
    reference.values.withUnsafeBufferPointer { x in
      other.values.withUnsafeBufferPointer { y in
        self.reference.withUnsafeMutableBufferPointer { sums in
          otherTops.withUnsafeMutableBufferPointer { tops in
            nonisolated(unsafe) let (x, y, sums, tops) = (x.start, y.start, sums.start, tops.start)
            let size = max(1, 1 << 14 / max(1, width))
            Parallel.forEachRange(of: rows, size: size, threads: compute.threads) {
              for row in $0 {
                let (a, b) = (x + row * width, y + row * width)
                let highest = sums[row].maximum
                compute.kernels.logSumExp(
                  width, a, minus: b, maximum: &sums[row].maximum, sum: &sums[row].sum,
                  difference: &sums[row].difference)
                if compute.kernels.countNotFinite(width, .float32, a) > 0 {
                  sums[row].isFinite = false
                }
                if sums[row].maximum > highest {
                  sums[row].top = first + Self.column(of: sums[row].maximum, in: a, width)
                }
                if after[row] > before[row] {
                  tops[row] = first + Self.column(of: after[row], in: b, width)
                }
              }
            }
          }
        }
      }
    }
    columns += width
  }

  /// The first column of a value; the first of all where NaN has let none be found.
  private static func column(
    of value: Float, in values: UnsafePointer<Float>, _ count: Int
  ) -> Int {
    (0..<count).first { values[$0] == value } ?? 0
  }

  /// The first row of each model that has had NaN or infinity among its logits; nil where there is none.
  ///
  /// Such a row's results mean nothing.
  package var firstNotFinite: (reference: Int?, other: Int?) {
    (reference.firstIndex { !$0.isFinite }, other.firstNotFinite)
  }

  /// KL(reference ‖ other) of each row, in nats: Σ p (log p − log q).
  package var divergences: [Double] {
    zip(zip(reference, referenceNormalisers), other.values).map { pair, otherNormaliser in
      let (row, normaliser) = pair
      return row.difference / row.sum + otherNormaliser - normaliser
    }
  }

  /// log Σ e^x of each row of the reference.
  package var referenceNormalisers: [Double] {
    reference.map { Double($0.maximum) + Math.logarithm($0.sum) }
  }

  /// log Σ e^x of each row of the other model.
  package var otherNormalisers: [Double] { other.values }

  /// Whether both models find the same token most likely, for each row; of equal logits the first counts.
  package var agreements: [Bool] {
    zip(reference, otherTops).map { $0.top == $1 }
  }
}

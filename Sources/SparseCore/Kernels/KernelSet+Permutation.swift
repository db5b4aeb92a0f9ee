internal import CSparseKernels

/// What the search for an order of channels computes: the same bits on every kernel set.
extension KernelSet {
  /// out[i] ← the middle one of a[i], b[i] and c[i]; `n` is a multiple of 48.
  package func median(
    _ n: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>
  ) {
    precondition(n % KernelSet.panelWidth == 0, "median: \(n) values are not whole panel rows")
    table.pointee.median3(n, a, b, c, out)
  }

  /// sums[g] ← sums[g] + the two largest of the four members of each of 48 groups, over `rows` rows.
  ///
  /// The members lie in panels [rows][48] that are `stride` values apart.
  package func addTwoLargest(
    rows: Int, stride: Int, members: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>
  ) {
    table.pointee.two_largest(rows, stride, members, sums)
  }

  /// sums[g][c] ← sums[g][c] + Σ max(medians[row][g], candidates[row][c]) for two panels [rows][48].
  package func addMaxima(
    rows: Int, medians: UnsafePointer<Float>, candidates: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    table.pointee.add_maxima(rows, medians, candidates, sums)
  }

  /// Takes the edges from one row into the shortest paths to `n` columns; the column that is nearest then.
  package func relaxRow(
    _ n: Int, costs: UnsafePointer<Float>, prices: UnsafePointer<Double>, base: Double, row: Int32,
    distances: UnsafeMutablePointer<Double>, from: UnsafeMutablePointer<Int32>
  ) -> Int {
    table.pointee.relax_row(n, costs, prices, base, row, distances, from)
  }
}

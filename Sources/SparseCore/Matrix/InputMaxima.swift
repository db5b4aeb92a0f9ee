/// The largest magnitude in each input's column over all activations seen: what SmoothQuant needs to know of them.
package struct InputMaxima: Sendable, Equatable {
  /// max|x_j| of each input, a NaN counting as nothing; 0 for no tokens.
  package private(set) var maxima: [Float]

  /// Maxima of no tokens yet: all zero.
  package init(inputs: Int) { maxima = [Float](repeating: 0, count: inputs) }

  /// Adds activations, tokens × inputs.
  package mutating func add(_ x: Matrix, on compute: Compute = .automatic) {
    let (rows, columns) = (x.rows, x.columns)
    precondition(columns == maxima.count, "InputMaxima: \(columns) columns, not \(maxima.count)")
    maxima.withUnsafeMutableBufferPointer { maxima in
      x.values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let (from, to) = (values.start, maxima.start)
        let size = max(1024, (columns + compute.threads - 1) / compute.threads)
        Parallel.forEachRange(of: columns, size: size, threads: compute.threads) {
          compute.kernels.maxMagnitudes(
            rows: rows, columns: $0.count, from + $0.lowerBound, stride: columns,
            into: to + $0.lowerBound)
        }
      }
    }
  }
}

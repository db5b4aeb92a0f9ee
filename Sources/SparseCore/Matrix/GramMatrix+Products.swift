/// Norms of outputs from the gram alone.
extension Gram {
  /// ‖X Mᵀ‖² over all tokens for a weight M, `outputs × inputs`: the trace of M XᵀX Mᵀ.
  ///
  /// It is the sum of all products of XᵀX and MᵀM, and MᵀM is one more symmetric rank-k update: a quarter
  /// of the work of a product with XᵀX and another with M. The products are summed in float64, tile row by
  /// tile row; rounding may make a sum near 0 negative, which is given as 0.
  package func squaredOutput(of weight: Matrix, on compute: Compute = .automatic) -> Double {
    precondition(
      weight.columns == inputs, "squaredOutput: \(weight.columns) columns, expected \(inputs)")
    var products = Gram(inputs: inputs)
    products.add(weight, on: compute)
    let other = products
    let sums = Parallel.map(KernelSet.panels(for: inputs), threads: compute.threads) { row in
      var sum = 0.0
      AlignedFloats.withScratch(count: 2 * TriangleTiles.tileSize) { a in
        let b = a + TriangleTiles.tileSize
        for column in 0...row {
          writeTile(row, column, times: 1, into: a, kernels: compute.kernels)
          other.writeTile(row, column, times: 1, into: b, kernels: compute.kernels)
          sum += row == column ? traceOfProduct(a, b) : 2 * sumOfProducts(a, b)
        }
      }
      return sum
    }
    return max(0, sums.reduce(0, +))
  }
}

/// Σ aᵢbᵢ over two tiles.
private func sumOfProducts(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Double {
  var sum = 0.0
  for index in 0..<TriangleTiles.tileSize { sum += Double(a[index]) * Double(b[index]) }
  return sum
}

/// The same over two symmetric tiles, of which only what lies on and below the diagonal is read.
private func traceOfProduct(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Double {
  let width = KernelSet.panelWidth
  var sum = 0.0
  for row in 0..<width {
    for index in row * width..<row * width + row {
      sum += 2 * Double(a[index]) * Double(b[index])
    }
    sum += Double(a[row * width + row]) * Double(b[row * width + row])
  }
  return sum
}

/// Norms of outputs from the gram alone.
extension Gram {
  /// ‖X Mᵀ‖² over all tokens for a weight M, `outputs × inputs`: the trace of M XᵀX Mᵀ.
  ///
  /// It is the sum of all products of XᵀX and MᵀM, and MᵀM is one more symmetric rank-k update: a quarter
  /// of the work of a product with XᵀX and another with M. The products are summed in float64, tile row by
  /// tile row; rounding may make a sum near 0 negative, which is given as 0.
  ///
  /// - Parameter stripeBytes: what MᵀM may take at a time: M is read once for each stripe of it. It changes
  ///   no bit of the sum.
  package func squaredOutput(
    of weight: RowSource, stripeBytes: Int = .max, on compute: Compute = .automatic
  ) -> Double {
    precondition(
      weight.columns == inputs, "squaredOutput: \(weight.columns) columns, expected \(inputs)")
    let panels = KernelSet.panels(for: inputs)
    var sums: [Double] = []
    for stripe in Self.stripes(panels: panels, rows: weight.rows, bytes: stripeBytes) {
      var products = Gram(inputs: inputs, tileRows: stripe)
      weight.forEach(Self.rowsAtOnce(inputs: inputs), on: compute) {
        products.add($1, on: compute)
      }
      sums += Parallel.map(stripe.count, threads: compute.threads) { [products] index in
        sumOfProducts(row: stripe.lowerBound + index, with: products, kernels: compute.kernels)
      }
    }
    return max(0, sums.reduce(0, +))
  }

  /// The same for a weight in memory.
  package func squaredOutput(of weight: Matrix, on compute: Compute = .automatic) -> Double {
    squaredOutput(of: RowSource(weight), on: compute)
  }

  /// What ``squaredOutput(of:stripeBytes:on:)`` takes beside the gram, with all stripes at once or the least that it can do with.
  package static func squaredOutputBytes(
    inputs: Int, rows: Int, stripeBytes: Int = .max
  ) -> Int {
    let stripes = stripes(panels: KernelSet.panels(for: inputs), rows: rows, bytes: stripeBytes)
    let most = stripes.map { stripeByteCount($0, rows: rows) }.max() ?? 0
    // The rows of M, those that they are the difference of, and what they become on the way.
    return most + workBytes(inputs: inputs) + 4 * 4 * rowsAtOnce(inputs: inputs) * inputs
  }

  /// Rows of M that are taken in at a time: those of a pass or more.
  private static func rowsAtOnce(inputs: Int) -> Int {
    blockDepth * max(1, (8 << 20) / (4 * blockDepth * max(1, inputs)))
  }

  private static func stripeByteCount(_ stripe: Range<Int>, rows: Int) -> Int {
    byteCount(ofTileRows: stripe) * (rows > blockTokens ? 2 : 1)
  }

  /// Rows of tiles that take no more than `bytes` together, but at least 4 of them.
  private static func stripes(panels: Int, rows: Int, bytes: Int) -> [Range<Int>] {
    let side = TriangleTiles.blockSide
    var stripes: [Range<Int>] = []
    var start = 0
    while start < panels {
      var end = min(start + side, panels)
      while end < panels,
        stripeByteCount(start..<min(end + side, panels), rows: rows) <= bytes
      {
        end = min(end + side, panels)
      }
      stripes.append(start..<end)
      start = end
    }
    return stripes
  }

  /// The sum of the products of a row of tiles.
  private func sumOfProducts(row: Int, with other: Gram, kernels: KernelSet) -> Double {
    var sum = 0.0
    AlignedFloats.withScratch(count: 2 * TriangleTiles.tileSize) { a in
      let b = a + TriangleTiles.tileSize
      for column in 0...row {
        writeTile(row, column, times: 1, into: a, kernels: kernels)
        other.writeTile(row, column, times: 1, into: b, kernels: kernels)
        sum += row == column ? traceOfProduct(a, b) : 2 * sumOfTiles(a, b)
      }
    }
    return sum
  }
}

/// Σ aᵢbᵢ over two tiles.
private func sumOfTiles(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Double {
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

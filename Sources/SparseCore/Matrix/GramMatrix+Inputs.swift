/// The gram of the same activations with other inputs.
extension Gram {
  /// The gram that the activations have once input j is divided by `scales[j]`, and then `order[i]` stands at place i.
  ///
  /// Moving changes no bit of a value; dividing rounds each once, from float64. More activations may be added
  /// unless the gram was closed.
  ///
  /// - Parameters:
  ///   - order: every input once; nil to leave them where they are.
  ///   - scales: one for each input at its old place, none of them 0; nil to leave them as they are.
  package func rearranged(
    by order: [Int]? = nil, dividedBy scales: [Float]? = nil, on compute: Compute = .automatic
  ) -> Gram {
    precondition(
      (order?.count ?? inputs) == inputs && (scales?.count ?? inputs) == inputs,
      "rearranged: \(inputs) inputs, \(order?.count ?? inputs) places, \(scales?.count ?? inputs) scales"
    )
    guard order != nil || scales != nil else { return self }
    let order = order ?? Array(0..<inputs)
    let scales = scales.map { scales in order.map { Double(scales[$0]) } }
    return Gram(
      inputs: inputs, tokens: tokens,
      finished: rearranged(finished, by: order, dividedBy: scales, on: compute),
      current: rearranged(current, by: order, dividedBy: scales, on: compute))
  }

  /// The tiles of some sums with their rows and columns moved.
  ///
  /// - Parameter scales: one for each new place.
  private func rearranged(
    _ sums: [Float], by order: [Int], dividedBy scales: [Double]?, on compute: Compute
  ) -> [Float] {
    let width = KernelSet.panelWidth
    // The value at row ≥ column lies at rowStarts[row] + columnStarts[column].
    let rowStarts = (0..<inputs).map { TriangleTiles.offset($0 / width, 0) + $0 % width * width }
    let columnStarts = (0..<inputs).map { TriangleTiles.offset(0, $0 / width) + $0 % width }
    var moved = [Float](repeating: 0, count: sums.count)
    guard !sums.isEmpty else { return moved }
    moved.withUnsafeMutableBufferPointer { moved in
      sums.withUnsafeBufferPointer { sums in
        nonisolated(unsafe) let (from, to) = (sums.start, moved.start)
        Parallel.forEachRange(of: inputs, size: width, threads: compute.threads) { rows in
          for row in rows {
            for column in 0...row {
              let (a, b) = (order[row], order[column])
              var value = from[rowStarts[max(a, b)] + columnStarts[min(a, b)]]
              if let scales { value = Float(Double(value) / (scales[row] * scales[column])) }
              to[rowStarts[row] + columnStarts[column]] = value
            }
          }
        }
      }
    }
    return moved
  }
}

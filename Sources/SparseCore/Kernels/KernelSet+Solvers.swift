internal import CSparseKernels

/// What factorisations and solves do inside a 48 × 48 tile.
extension KernelSet {
  /// The factor S of A = SᵀS from −A on and below the diagonal, in place, and minus the inverse of S.
  ///
  /// - Returns: nil, or the row whose pivot is not a positive number.
  package func factorTile(
    _ tile: UnsafeMutablePointer<Float>, inverse: UnsafeMutablePointer<Float>
  ) -> Int? {
    let failed = table.pointee.factor_tile(tile, inverse)
    return failed == 0 ? nil : failed - 1
  }

  /// SparseGPT on up to 48 columns of 48 rows, which lie column after column.
  ///
  /// The sums of earlier errors times the factor become the errors, the weights the pruned ones.
  package func pruneTile(
    columns: Int, factor: UnsafePointer<Float>, weights: UnsafeMutablePointer<Float>,
    sums: UnsafeMutablePointer<Float>, mask: UnsafeMutablePointer<UInt8>
  ) {
    precondition(
      columns % 4 == 0 && columns <= KernelSet.panelWidth, "pruneTile: \(columns) columns")
    table.pointee.prune_tile(columns, factor, weights, sums, mask)
  }

  /// A 48 × 48 tile with rows and columns exchanged.
  package func transposeTile(
    _ tile: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    let width = KernelSet.panelWidth
    pack(outputs: width, inputs: width, .float32, tile, rowBytes: 4 * width, into: out)
  }

  /// The mask bytes that `pruneTile` writes: one for each 8 of 48 columns of each of 48 rows.
  package static let tileMaskBytes = panelWidth / 8 * panelWidth
}

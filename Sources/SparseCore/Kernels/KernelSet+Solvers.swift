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
  /// The sums of earlier errors times the factor become the errors, the weights the pruned ones, on the grid
  /// where there is one.
  package func pruneTile(
    columns: Int, factor: UnsafePointer<Float>, weights: UnsafeMutablePointer<Float>,
    sums: UnsafeMutablePointer<Float>, mask: UnsafeMutablePointer<UInt8>, scales: TileScales?
  ) {
    checkTile(columns)
    table.pointee.prune_tile(
      columns, factor, weights, sums, mask, scales?.pointer, scales?.columnStep ?? 0)
  }

  /// Coordinate descent on up to 48 columns of 48 rows: each group takes its best pair with all others held.
  ///
  /// - Parameters:
  ///   - sums: the errors times the gram's columns of this tile.
  ///   - changes: receives old minus new weights.
  ///   - isFixed: whether `mask` says what is kept; otherwise it receives what is.
  ///   - scales: the grid of the new weights; only for a fixed mask.
  package func descendTile(
    columns: Int, gram: UnsafePointer<Float>, weights: UnsafeMutablePointer<Float>,
    errors: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>,
    changes: UnsafeMutablePointer<Float>, mask: UnsafeMutablePointer<UInt8>, isFixed: Bool,
    scales: TileScales?
  ) {
    checkTile(columns)
    precondition(isFixed || scales == nil, "descendTile: a grid needs a fixed mask")
    table.pointee.descend_tile(
      columns, gram, weights, errors, sums, changes, mask, isFixed ? 1 : 0, scales?.pointer,
      scales?.columnStep ?? 0)
  }

  /// The target of an ADMM step: products + penalty · squares · (kept − dual), the dual first multiplied by its factor.
  package func admmTarget(
    columns: Int, products: UnsafePointer<Float>, kept: UnsafePointer<Float>,
    dual: UnsafeMutablePointer<Float>, squares: UnsafePointer<Float>, penalty: Float,
    dualFactor: Float, into target: UnsafeMutablePointer<Float>
  ) {
    table.pointee.admm_target(
      columns, products, kept, dual, squares, penalty, dualFactor, target)
  }

  /// The 2:4 weights nearest to solution + dual, and what is left over as the new dual.
  package func admmProject(
    columns: Int, solution: UnsafePointer<Float>, squares: UnsafePointer<Float>,
    kept: UnsafeMutablePointer<Float>, dual: UnsafeMutablePointer<Float>
  ) {
    precondition(columns % 4 == 0, "admmProject: \(columns) columns")
    table.pointee.admm_project(columns, solution, squares, kept, dual)
  }

  private func checkTile(_ columns: Int) {
    precondition(
      columns % 4 == 0 && columns <= KernelSet.panelWidth, "a tile of \(columns) columns")
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

/// The INT8 scales of a tile: that of row r and column c is `pointer[c · columnStep + r]`.
package struct TileScales {
  package let pointer: UnsafePointer<Float>
  package let columnStep: Int
}

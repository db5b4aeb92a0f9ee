/// The reversed Cholesky factor of a symmetric matrix: G = R Rᵀ with R upper triangular.
///
/// It is the Cholesky factor of the matrix with its rows and columns in reversed order, and the inverse of R is
/// the upper factor of the inverse of G that the published SparseGPT works with. What is kept is Rᵀ.
///
/// Float32, blocked, left-looking: the last rows first, and nearly all of it rank-k updates. Neither the threads
/// nor the blocks change a bit of it.
struct Cholesky: Sendable {
  /// The rows and columns of the matrix.
  let size: Int
  /// Rᵀ, lower triangular; rows and columns past the matrix are those of the identity.
  let lower: TilePanels
  /// For each panel minus the inverse of the tile of Rᵀ on the diagonal.
  private let inverses: AlignedFloats

  /// Factors the matrix of some inputs with another diagonal.
  ///
  /// - Parameter diagonal: in the scale of the sums: XᵀX itself, not divided by the tokens.
  /// - Throws: ``CholeskyError`` unless the matrix is positive definite.
  init(
    _ gram: Gram, diagonal: [Float], on compute: Compute = .automatic
  ) throws(CholeskyError) {
    precondition(
      diagonal.count == gram.inputs,
      "Cholesky: \(diagonal.count) values for a diagonal of \(gram.inputs)")
    try self.init(size: gram.inputs, diagonal: diagonal, on: compute) { row, column, tile in
      gram.writeTile(row, column, times: -1, into: tile, kernels: compute.kernels)
    }
  }

  /// Factors a symmetric matrix, of which only what lies on and below the diagonal has a meaning.
  ///
  /// - Throws: ``CholeskyError`` unless the matrix is positive definite.
  init(_ matrix: Matrix, on compute: Compute = .automatic) throws(CholeskyError) {
    let (size, width) = (matrix.rows, KernelSet.panelWidth)
    precondition(
      size == matrix.columns, "Cholesky: the matrix is \(size) × \(matrix.columns)")
    let diagonal = (0..<size).map { matrix.values[$0 * size + $0] }
    try self.init(size: size, diagonal: diagonal, on: compute) { row, column, tile in
      tile.update(repeating: 0, count: TilePanels.tileSize)
      let columns = min(width, size - column * width)
      matrix.values.withUnsafeBufferPointer { values in
        for i in 0..<min(width, size - row * width) {
          let from = values.start + (row * width + i) * size + column * width
          compute.kernels.axpy(columns, -1, from, tile + i * width)
        }
      }
    }
  }

  /// - Parameter write: writes minus the matrix's tile of a row and column, 0 outside the matrix.
  private init(
    size: Int, diagonal: [Float], on compute: Compute,
    write: @Sendable (_ row: Int, _ column: Int, UnsafeMutablePointer<Float>) -> Void
  ) throws(CholeskyError) {
    self.size = size
    let width = KernelSet.panelWidth
    let panels = TilePanels(.lower, count: KernelSet.panels(for: size))
    Parallel.forEach(panels.count, threads: compute.threads) { column in
      for row in column..<panels.count { write(row, column, panels.tile(row, column)) }
      for index in column * width..<(column + 1) * width {
        panels.tile(column, column)[(index - column * width) * (width + 1)] =
          index < size ? -diagonal[index] : -1
      }
    }
    lower = panels
    inverses = AlignedFloats(count: panels.count * TilePanels.tileSize)
    try factor(on: compute)
  }

  /// Turns minus the matrix in the panels into its factor.
  private func factor(on compute: Compute) throws(CholeskyError) {
    let solver = Substitution(
      lower, inverses: inverses, kernels: compute.kernels)
    for block in solver.blocks {
      try factor(block, with: solver, on: compute)
      // To the left of the block the rows are solved like right-hand sides, each panel by itself.
      let pieces = TilePanels.pieces(of: block.lowerBound, threads: compute.threads)
      Parallel.forEach(pieces.count, threads: compute.threads) { index in
        AlignedFloats.withScratch(count: TilePanels.tileSize) { scratch in
          solver.solve(block, of: pieces[index].map(lower.panel), scratch: scratch)
        }
      }
    }
  }

  /// Factors a block of tiles on the diagonal, whose rows below are known.
  private func factor(
    _ block: Range<Int>, with solver: Substitution, on compute: Compute
  ) throws(CholeskyError) {
    let tiles = block.flatMap { row in
      (block.lowerBound...row).map { (row: row, column: $0) }
    }
    Parallel.forEach(tiles.count, threads: compute.threads) { index in
      let (row, column) = tiles[index]
      solver.update(row..<row + 1, fromBefore: block, of: [lower.panel(column)])
    }
    let scratch = AlignedFloats(count: TilePanels.tileSize)
    for row in block.reversed() {
      let columns = block.lowerBound...row
      solver.update(row, in: block, of: columns.map(lower.panel))
      let inverse = inverses.pointer + row * TilePanels.tileSize
      if let failed = compute.kernels.factorTile(lower.tile(row, row), inverse: inverse) {
        throw .notPositiveDefinite(row: row * KernelSet.panelWidth + failed)
      }
      for column in columns.dropLast() {
        solver.finish(row, of: lower.panel(column), scratch: scratch.pointer)
      }
    }
  }

  /// R, upper triangular, in panels of its columns.
  func upper(on compute: Compute = .automatic) -> TilePanels {
    lower.transposed(on: compute)
  }

  /// The same in the place of this factor, which must not be used afterwards.
  consuming func upperInPlace(on compute: Compute = .automatic) -> TilePanels {
    lower.transposedInPlace(on: compute)
  }

  /// The rows x with x G = b, one for each row b of `sides`.
  ///
  /// Every row is solved by itself, on all threads.
  func solve(_ sides: Matrix, on compute: Compute = .automatic) -> Matrix {
    precondition(
      sides.columns == size, "solve: right-hand sides of \(sides.columns) for a matrix of \(size)")
    let solver = solver(on: compute)
    return Matrix(rows: sides.rows, columns: size) { out in
      sides.values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let (from, to) = (values.start, out.start)
        let pieces = TilePanels.pieces(
          of: KernelSet.panels(for: sides.rows), threads: compute.threads)
        Parallel.forEach(pieces.count, threads: compute.threads) { index in
          let work = RowPanels(
            pieces[index], rows: sides.rows, columns: size, kernels: compute.kernels)
          work.read(from)
          solver.solve(work.panels)
          work.write(to)
        }
      }
    }
  }

  /// The two substitutions of x R Rᵀ = b, for right-hand sides in panels.
  struct Solver: Sendable {
    fileprivate let backward: Substitution
    fileprivate let forward: Substitution

    /// Replaces right-hand sides by solutions.
    func solve(_ sides: [UnsafeMutablePointer<Float>]) {
      AlignedFloats.withScratch(count: TilePanels.tileSize) { scratch in
        backward.solve(sides, scratch: scratch)
        forward.solve(sides, scratch: scratch)
      }
    }
  }

  /// What solves with this factor.
  func solver(on compute: Compute = .automatic) -> Solver {
    Solver(
      backward: Substitution(lower, inverses: inverses, kernels: compute.kernels),
      forward: Substitution(
        upper(on: compute), inverses: transposedInverses(on: compute), kernels: compute.kernels))
  }

  private func transposedInverses(on compute: Compute) -> AlignedFloats {
    let result = AlignedFloats(count: inverses.count)
    Parallel.forEach(lower.count, threads: compute.threads) { row in
      let start = row * TilePanels.tileSize
      compute.kernels.transposeTile(inverses.pointer + start, into: result.pointer + start)
    }
    return result
  }
}

/// Why a matrix could not be factored.
enum CholeskyError: Error, Equatable {
  /// The pivot of a row, counted from 0, is not a positive number.
  case notPositiveDefinite(row: Int)
}

extension CholeskyError: CustomStringConvertible {
  /// One line that names the row.
  var description: String {
    switch self {
    case .notPositiveDefinite(let row):
      "the matrix is not positive definite: the pivot of row \(row) is not a positive number"
    }
  }
}

/// A triangular matrix in panels of 48 columns: of each panel the 48 × 48 tiles that can hold something.
///
/// A panel's rows lie one after another, so that any stretch of them is an operand of a rank-k update. The
/// matrix is padded to whole tiles.
final class TriangularPanels: Sendable {
  /// Which half of the matrix is there.
  enum Half { case lower, upper }

  /// The values of a tile.
  static let tileSize = KernelSet.panelWidth * KernelSet.panelWidth

  let half: Half
  /// The panels, which is also the number of tile rows.
  let count: Int
  private let values: AlignedFloats

  /// Uninitialised panels.
  init(_ half: Half, count: Int) {
    self.half = half
    self.count = count
    values = AlignedFloats(count: count * (count + 1) / 2 * TriangularPanels.tileSize)
  }

  /// Where row 0 of a panel lies or, in a lower panel that begins further down, would lie.
  func panel(_ column: Int) -> UnsafeMutablePointer<Float> {
    let tiles =
      switch half {
      case .upper: column * (column + 1) / 2
      case .lower: column * count - column * (column + 1) / 2
      }
    return values.pointer + tiles * TriangularPanels.tileSize
  }

  /// A tile, row-major; it must be in the half that is there.
  func tile(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    panel(column) + row * TriangularPanels.tileSize
  }

  /// The transposed matrix, a lower one's upper one.
  func transposed(on compute: Compute) -> TriangularPanels {
    let result = TriangularPanels(half == .lower ? .upper : .lower, count: count)
    Parallel.forEach(count, threads: compute.threads) { row in
      for column in half == .lower ? 0..<row + 1 : row..<count {
        compute.kernels.transposeTile(tile(row, column), into: result.tile(column, row))
      }
    }
    return result
  }

  /// Panels to a block of columns, and of right-hand sides to a piece of work.
  ///
  /// For 4 by 4 tiles a rank-k update reads 8 panels and does 16 tiles: little enough to read for a
  /// second-level cache.
  private static let blockSide = 4

  /// All panels in blocks, in ascending order.
  static func blocks(count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: blockSide).map { $0..<min($0 + blockSide, count) }
  }

  /// How `count` panels of right-hand sides are dealt out: a block's width, or less to keep all threads busy.
  static func pieces(of count: Int, threads: Int) -> [Range<Int>] {
    let size = threads == 1 ? blockSide : max(1, min(blockSide, count / (2 * threads)))
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

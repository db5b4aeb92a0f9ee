/// A square matrix in panels of 48 columns: of a triangular one the 48 × 48 tiles that can hold something.
///
/// A panel's rows lie one after another, so that any stretch of them is an operand of a rank-k update. The
/// matrix is padded to whole tiles.
final class TilePanels: Sendable {
  /// Which part of the matrix is there.
  enum Part { case lower, upper, full }

  /// The values of a tile.
  static let tileSize = KernelSet.panelWidth * KernelSet.panelWidth

  let part: Part
  /// The panels, which is also the number of tile rows.
  let count: Int
  private let values: AlignedFloats

  /// Uninitialised panels.
  init(_ part: Part, count: Int) {
    self.part = part
    self.count = count
    let tiles = part == .full ? count * count : count * (count + 1) / 2
    values = AlignedFloats(count: tiles * TilePanels.tileSize)
  }

  /// Where row 0 of a panel lies or, in a lower panel that begins further down, would lie.
  func panel(_ column: Int) -> UnsafeMutablePointer<Float> {
    let tiles =
      switch part {
      case .full: column * count
      case .upper: column * (column + 1) / 2
      case .lower: column * count - column * (column + 1) / 2
      }
    return values.pointer + tiles * TilePanels.tileSize
  }

  /// A tile, row-major; it must be in the part that is there.
  func tile(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    panel(column) + row * TilePanels.tileSize
  }

  /// A lower triangular matrix transposed: the upper one.
  func transposed(on compute: Compute) -> TilePanels {
    precondition(part == .lower, "transposed: only of lower triangular panels")
    let result = TilePanels(.upper, count: count)
    Parallel.forEach(count, threads: compute.threads) { row in
      for column in 0...row {
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

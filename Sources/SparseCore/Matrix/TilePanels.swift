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
  convenience init(_ part: Part, count: Int) {
    self.init(
      part, count: count,
      values: AlignedFloats(count: TilePanels.byteCount(part, count: count) / 4))
  }

  private init(_ part: Part, count: Int, values: AlignedFloats) {
    self.part = part
    self.count = count
    self.values = values
  }

  /// The bytes of so many panels.
  static func byteCount(_ part: Part, count: Int) -> Int {
    4 * tileSize * (part == .full ? count * count : count * (count + 1) / 2)
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

  /// The same in the place of the lower triangular matrix, of which nothing is left.
  func transposedInPlace(on compute: Compute) -> TilePanels {
    precondition(part == .lower, "transposed: only of lower triangular panels")
    let result = TilePanels(.upper, count: count, values: values)
    // Where each tile goes, both counted from the start of the values; −1 for one that is there.
    var targets = [Int32](repeating: -1, count: values.count / TilePanels.tileSize)
    func number(_ tile: UnsafeMutablePointer<Float>) -> Int {
      (tile - values.pointer) / TilePanels.tileSize
    }
    for row in 0..<count {
      for column in 0...row {
        targets[number(tile(row, column))] = Int32(number(result.tile(column, row)))
      }
    }
    // Every tile takes the place of the next one on its way, until the way ends where it began.
    let size = TilePanels.tileSize
    AlignedFloats.withScratch(count: 2 * size) { scratch in
      var (moving, next) = (scratch, scratch + size)
      for start in targets.indices where targets[start] >= 0 {
        moving.update(from: values.pointer + start * size, count: size)
        var place = start
        while targets[place] >= 0 {
          let target = Int(targets[place])
          targets[place] = -1
          next.update(from: values.pointer + target * size, count: size)
          compute.kernels.transposeTile(moving, into: values.pointer + target * size)
          swap(&moving, &next)
          place = target
        }
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

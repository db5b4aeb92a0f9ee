/// Rank-k updates of right-hand sides by a triangular matrix: what most of a factorisation or a solve is.
///
/// Right-hand sides lie in panels of 48, row after row, as the matrix's columns do. Every value is one chain
/// of multiply-adds over the rows in order, whatever panels and rows are taken together.
struct PanelUpdates: Sendable {
  let coefficients: TilePanels
  let kernels: KernelSet

  /// Tile rows to a pass: 240 rows of a panel take 46 KB, about a first-level cache.
  private static let depth = 5

  /// Adds what the tile rows `solved` of the targets contribute to their tile rows `block`: T_i += Σ C_kiᵀ T_k.
  func accumulate(
    _ solved: Range<Int>, into block: Range<Int>, of targets: [UnsafeMutablePointer<Float>]
  ) {
    accumulate(solved, of: targets, into: block, of: targets)
  }

  /// Adds what the tile rows `solved` of the sources contribute to the tile rows `block` of the targets: T_i += Σ C_kiᵀ S_k.
  func accumulate(
    _ solved: Range<Int>, of sources: [UnsafeMutablePointer<Float>], into block: Range<Int>,
    of targets: [UnsafeMutablePointer<Float>]
  ) {
    let (width, tileSize) = (KernelSet.panelWidth, TilePanels.tileSize)
    for start in stride(from: solved.lowerBound, to: solved.upperBound, by: Self.depth) {
      let rows = width * min(Self.depth, solved.upperBound - start)
      for row in block {
        let panel = coefficients.panel(row)
        for (source, target) in zip(sources, targets) {
          kernels.rankUpdate(
            tokens: rows, panel + start * tileSize, source + start * tileSize,
            into: target + row * tileSize, diagonal: false)
        }
      }
    }
  }
}

/// Solving with a triangular matrix for many right-hand sides: T ← −C⁻ᵀ T for the matrix C.
///
/// Tile row by tile row: what is solved already is multiplied into the next rows, and minus the inverse of
/// C's tile on the diagonal finishes them. A lower C is solved from its last row up, an upper one from its
/// first row down. The sign saves a pass: solving with both halves of a factor brings it back.
struct Substitution: Sendable {
  private let updates: PanelUpdates
  /// For each panel minus the inverse of its tile on the diagonal.
  private let inverses: AlignedFloats

  init(_ coefficients: TilePanels, inverses: AlignedFloats, kernels: KernelSet) {
    updates = PanelUpdates(coefficients: coefficients, kernels: kernels)
    self.inverses = inverses
  }

  private var isBackward: Bool { updates.coefficients.part == .lower }

  /// The blocks of tile rows in the order in which they are solved.
  var blocks: [Range<Int>] {
    let blocks = TilePanels.blocks(count: updates.coefficients.count)
    return isBackward ? blocks.reversed() : blocks
  }

  /// Adds to rows of a block what all blocks before theirs contribute, in the order of solving.
  func update(
    _ rows: Range<Int>, fromBefore block: Range<Int>, of targets: [UnsafeMutablePointer<Float>]
  ) {
    let solved =
      isBackward ? block.upperBound..<updates.coefficients.count : 0..<block.lowerBound
    updates.accumulate(solved, into: rows, of: targets)
  }

  /// Adds to a row what the rows of its block before it contribute.
  func update(_ row: Int, in block: Range<Int>, of targets: [UnsafeMutablePointer<Float>]) {
    let solved = isBackward ? row + 1..<block.upperBound : block.lowerBound..<row
    updates.accumulate(solved, into: row..<row + 1, of: targets)
  }

  /// Multiplies a target's tile row by minus the inverse of the tile on the diagonal.
  func finish(
    _ row: Int, of target: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let size = TilePanels.tileSize
    scratch.update(repeating: 0, count: size)
    updates.kernels.rankUpdate(
      tokens: KernelSet.panelWidth, inverses.pointer + row * size, target + row * size,
      into: scratch, diagonal: false)
    (target + row * size).update(from: scratch, count: size)
  }

  /// Solves one block of tile rows, after all that come before it.
  func solve(
    _ block: Range<Int>, of targets: [UnsafeMutablePointer<Float>],
    scratch: UnsafeMutablePointer<Float>
  ) {
    update(block, fromBefore: block, of: targets)
    for row in isBackward ? Array(block.reversed()) : Array(block) {
      update(row, in: block, of: targets)
      for target in targets { finish(row, of: target, scratch: scratch) }
    }
  }

  /// Solves all blocks.
  func solve(_ targets: [UnsafeMutablePointer<Float>], scratch: UnsafeMutablePointer<Float>) {
    for block in blocks { solve(block, of: targets, scratch: scratch) }
  }
}

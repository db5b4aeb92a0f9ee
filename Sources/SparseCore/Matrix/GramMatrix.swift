/// XᵀX of the inputs of a layer over all activations seen, by a symmetric rank-k update: half the work of a product.
///
/// Only the tiles on and below the diagonal are kept, 48 × 48 values each. Tokens are counted from the first
/// one ever added in blocks of 4,096. Inside a block each value is one chain of float32 multiply-adds in
/// token order; finished blocks are added up in order. So neither the threads nor the splitting of the
/// tokens into chunks changes a bit, and the rounding error grows with the block, not with all tokens.
public struct Gram: Sendable {
  /// The columns of the activations.
  public let inputs: Int
  /// How many rows of activations have been added.
  public private(set) var tokens = 0
  /// The sum of all finished blocks, empty before the first is finished.
  private(set) var finished: [Float] = []
  /// The block that is being filled.
  private(set) var current: [Float]

  /// Tokens per block.
  ///
  /// With it the error of a sum of squares stays below 4,096 · 2⁻²⁴ however many tokens follow.
  package static let blockTokens = 4096
  /// Tokens per pass: 256 rows of a panel of 48 take 48 KB.
  private static let depth = 256

  /// A gram of no tokens yet: all zero.
  public init(inputs: Int) {
    precondition(inputs >= 0, "Gram: \(inputs) inputs")
    self.inputs = inputs
    let panels = KernelSet.panels(for: inputs)
    current = [Float](repeating: 0, count: panels * (panels + 1) / 2 * TriangleTiles.tileSize)
  }

  /// A gram of known sums, each as long as those of a gram of no tokens, or empty where no block is finished.
  init(inputs: Int, tokens: Int, finished: [Float], current: [Float]) {
    self.inputs = inputs
    self.tokens = tokens
    self.finished = finished
    self.current = current
  }

  /// The gram of activations that are no longer there, whose XᵀX / tokens is `matrix`.
  ///
  /// Of the matrix, what lies on and below the diagonal is read.
  package init(_ matrix: Matrix, tokens: Int) {
    precondition(
      matrix.rows == matrix.columns, "Gram: the matrix is \(matrix.rows) × \(matrix.columns)")
    self.init(inputs: matrix.rows)
    self.tokens = tokens
    let tiles = TriangleTiles(panels: KernelSet.panels(for: inputs))
    for row in 0..<inputs {
      for column in 0...row {
        current[tiles.index(row, column)] = matrix.values[row * inputs + column] * Float(tokens)
      }
    }
  }

  /// Adds activations, tokens × inputs.
  public mutating func add(_ x: Matrix, on compute: Compute = .automatic) {
    precondition(x.columns == inputs, "Gram: \(x.columns) columns, expected \(inputs)")
    guard inputs > 0 else {
      tokens += x.rows
      return
    }
    let panels = AlignedFloats(
      count: KernelSet.panels(for: inputs) * KernelSet.panelWidth * min(Gram.depth, x.rows))
    var row = 0
    while row < x.rows {
      let room = Gram.blockTokens - tokens % Gram.blockTokens
      let count = min(Gram.depth, room, x.rows - row)
      update(x, rows: row..<row + count, panels: panels, on: compute)
      row += count
      tokens += count
      if tokens % Gram.blockTokens == 0 { finishBlock(on: compute) }
    }
  }

  private mutating func update(
    _ x: Matrix, rows: Range<Int>, panels: AlignedFloats, on compute: Compute
  ) {
    let (inputs, depth, width) = (inputs, rows.count, KernelSet.panelWidth)
    let tiles = TriangleTiles(panels: KernelSet.panels(for: inputs))
    x.values.withUnsafeBufferPointer { values in
      current.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let (from, to) = (values.start + rows.lowerBound * inputs, sums.start)
        Parallel.forEachRange(of: inputs, size: 4 * width, threads: compute.threads) { columns in
          compute.kernels.packColumns(
            rows: depth, columns: columns.count, from + columns.lowerBound, stride: inputs,
            into: panels.pointer + columns.lowerBound * depth, panelStride: width * depth)
        }
        Parallel.forEach(tiles.blocks.count, threads: compute.threads) { index in
          for (row, column) in tiles.tiles(inBlock: tiles.blocks[index]) {
            compute.kernels.rankUpdate(
              tokens: depth, panels.pointer + row * width * depth,
              panels.pointer + column * width * depth, into: to + tiles.offset(row, column),
              diagonal: row == column)
          }
        }
      }
    }
  }

  private mutating func finishBlock(on compute: Compute) {
    let count = current.count
    if finished.isEmpty {
      swap(&finished, &current)
      current = [Float](repeating: 0, count: count)
      return
    }
    finished.withUnsafeMutableBufferPointer { sums in
      current.withUnsafeMutableBufferPointer { block in
        compute.kernels.axpy(count, 1, block.start, sums.start)
        block.update(repeating: 0)
      }
    }
  }

  /// Hands over XᵀX of all tokens so far, tile after tile, and starts anew with none.
  mutating func drain(on compute: Compute, _ body: (UnsafePointer<Float>) -> Void) {
    if !finished.isEmpty {
      finishBlock(on: compute)
      swap(&finished, &current)
      finished = []
    }
    current.withUnsafeMutableBufferPointer { sums in
      body(sums.start)
      sums.update(repeating: 0)
    }
    tokens = 0
  }

  private func sum(_ index: Int) -> Float {
    finished.isEmpty ? current[index] : finished[index] + current[index]
  }

  /// XᵀX / tokens, both halves; zero for no tokens.
  public var matrix: Matrix {
    let tiles = TriangleTiles(panels: KernelSet.panels(for: inputs))
    let scale = tokens == 0 ? 0 : 1 / Float(tokens)
    return Matrix(rows: inputs, columns: inputs) { out in
      for row in 0..<inputs {
        for column in 0...row {
          let value = sum(tiles.index(row, column)) * scale
          out[row * inputs + column] = value
          out[column * inputs + row] = value
        }
      }
    }
  }

  /// ‖x_j‖₂ of each input: the square root of the sum of squares on the diagonal.
  ///
  /// A sum below 0, which no activations have, gives 0.
  public var norms: [Float] {
    sumsOfSquares.map { $0 < 0 ? 0 : $0.squareRoot() }
  }

  /// ‖x_j‖₂² of each input: the diagonal of XᵀX.
  var sumsOfSquares: [Float] {
    let tiles = TriangleTiles(panels: KernelSet.panels(for: inputs))
    return (0..<inputs).map { sum(tiles.index($0, $0)) }
  }
  /// How many inputs have a NaN or an infinity among their products.
  func countNotFiniteInputs(on compute: Compute) -> Int {
    let bad = [finished, current].reduce(0) { count, sums in
      count
        + sums.withUnsafeBytes { compute.kernels.countNotFinite(sums.count, .float32, $0.start) }
    }
    guard bad > 0 else { return 0 }
    let tiles = TriangleTiles(panels: KernelSet.panels(for: inputs))
    return (0..<inputs).count { input in
      (0..<inputs).contains { !sum(tiles.index(max($0, input), min($0, input))).isFinite }
    }
  }

  /// Writes a tile of `factor` · XᵀX, row-major, 0 outside the matrix.
  ///
  /// Above the diagonal of a tile on the diagonal its values mean nothing.
  func writeTile(
    _ row: Int, _ column: Int, times factor: Float, into tile: UnsafeMutablePointer<Float>,
    kernels: KernelSet
  ) {
    let size = TriangleTiles.tileSize
    let start = TriangleTiles.offset(row, column)
    tile.update(repeating: 0, count: size)
    for sums in [finished, current] where !sums.isEmpty {
      sums.withUnsafeBufferPointer { kernels.axpy(size, factor, $0.start + start, tile) }
    }
  }
}

/// Where the 48 × 48 tiles on and below the diagonal lie: row after row of tiles.
struct TriangleTiles: Sendable {
  static let tileSize = KernelSet.panelWidth * KernelSet.panelWidth

  /// A square of tiles that one piece of work fills: 4 + 4 panels of 256 rows take 384 KB of a second-level cache.
  struct Block: Sendable {
    let row: Int
    let column: Int
  }
  private static let blockSide = 4

  let panels: Int
  let blocks: [Block]

  init(panels: Int) {
    self.panels = panels
    let side = TriangleTiles.blockSide
    var blocks: [Block] = []
    for row in stride(from: 0, to: panels, by: side) {
      for column in stride(from: 0, through: row, by: side) {
        blocks.append(Block(row: row, column: column))
      }
    }
    self.blocks = blocks
  }

  /// The tiles of a block, row and column of each, in the order in which they lie in memory.
  func tiles(inBlock block: Block) -> [(Int, Int)] {
    let side = TriangleTiles.blockSide
    var tiles: [(Int, Int)] = []
    for row in block.row..<min(block.row + side, panels) {
      for column in block.column...min(block.column + side - 1, row) { tiles.append((row, column)) }
    }
    return tiles
  }

  /// The first value of the tile at `row`, `column`.
  func offset(_ row: Int, _ column: Int) -> Int { TriangleTiles.offset(row, column) }

  /// The same; it does not depend on how many tiles there are.
  static func offset(_ row: Int, _ column: Int) -> Int {
    (row * (row + 1) / 2 + column) * tileSize
  }

  /// The place of the value at `row` ≥ `column` of the matrix.
  func index(_ row: Int, _ column: Int) -> Int {
    let width = KernelSet.panelWidth
    return offset(row / width, column / width) + row % width * width + column % width
  }
}

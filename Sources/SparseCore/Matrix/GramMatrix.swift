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
  /// The block that is being filled, empty before its first token.
  private(set) var current: [Float] = []
  /// The rows of tiles that are there: all but where a product is made a stripe at a time.
  private let tileRows: Range<Int>
  /// Whether the blocks have been put together.
  private var isClosed = false

  /// Tokens per block.
  ///
  /// With it the error of a sum of squares stays below 4,096 · 2⁻²⁴ however many tokens follow.
  package static let blockTokens = 4096
  /// Tokens per pass: 256 rows of a panel of 48 take 48 KB.
  static let blockDepth = 256

  /// A gram of no tokens yet: all zero.
  public init(inputs: Int) {
    self.init(inputs: inputs, tileRows: 0..<KernelSet.panels(for: inputs))
  }

  /// Some rows of tiles of a gram of no tokens yet, whole blocks of work: they begin at a multiple of 4.
  init(inputs: Int, tileRows: Range<Int>) {
    precondition(inputs >= 0, "Gram: \(inputs) inputs")
    self.inputs = inputs
    self.tileRows = tileRows
  }

  /// The bytes of one block of sums: what a gram of up to 4,096 tokens takes, or a closed one.
  package static func byteCount(inputs: Int) -> Int {
    byteCount(ofTileRows: 0..<KernelSet.panels(for: inputs))
  }

  /// The bytes of some rows of tiles of one block of sums.
  static func byteCount(ofTileRows rows: Range<Int>) -> Int { 4 * valueCount(rows) }

  private static func valueCount(_ tileRows: Range<Int>) -> Int {
    TriangleTiles.offset(tileRows.upperBound, 0) - TriangleTiles.offset(tileRows.lowerBound, 0)
  }

  /// The bytes of one block of sums, and those that activations take on their way into it.
  package static func workBytes(inputs: Int) -> Int {
    4 * blockDepth * KernelSet.panels(for: inputs) * KernelSet.panelWidth
  }

  /// The sum of a value's offset and this is where it lies.
  private var base: Int { -TriangleTiles.offset(tileRows.lowerBound, 0) }

  /// A gram of known sums, each as long as those of a gram of no tokens, or empty where no block is finished.
  init(inputs: Int, tokens: Int, finished: [Float], current: [Float]) {
    self.init(inputs: inputs)
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
    current = [Float](repeating: 0, count: Self.valueCount(tileRows))
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
    precondition(!isClosed, "Gram: \(x.rows) tokens for a gram that was closed at \(tokens)")
    guard inputs > 0 else {
      tokens += x.rows
      return
    }
    let panels = AlignedFloats(
      count: KernelSet.panels(for: inputs) * KernelSet.panelWidth * min(Gram.blockDepth, x.rows))
    var row = 0
    while row < x.rows {
      let room = Gram.blockTokens - tokens % Gram.blockTokens
      let count = min(Gram.blockDepth, room, x.rows - row)
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
    let blocks = tiles.blocks.filter { tileRows.contains($0.row) }
    let read = min(inputs, tileRows.upperBound * width)
    if current.isEmpty { current = [Float](repeating: 0, count: Self.valueCount(tileRows)) }
    let base = base
    x.values.withUnsafeBufferPointer { values in
      current.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let (from, to) = (values.start + rows.lowerBound * inputs, sums.start)
        Parallel.forEachRange(of: read, size: 4 * width, threads: compute.threads) { columns in
          compute.kernels.packColumns(
            rows: depth, columns: columns.count, from + columns.lowerBound, stride: inputs,
            into: panels.pointer + columns.lowerBound * depth, panelStride: width * depth)
        }
        Parallel.forEach(blocks.count, threads: compute.threads) { index in
          for (row, column) in tiles.tiles(inBlock: blocks[index]) {
            compute.kernels.rankUpdate(
              tokens: depth, panels.pointer + row * width * depth,
              panels.pointer + column * width * depth, into: to + base + tiles.offset(row, column),
              diagonal: row == column)
          }
        }
      }
    }
  }

  private mutating func finishBlock(on compute: Compute) {
    if finished.isEmpty {
      swap(&finished, &current)
      return
    }
    addCurrent(on: compute)
    current.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
  }

  /// Puts the finished blocks and the one that is being filled into one: half the memory, and the same values to whoever reads them.
  ///
  /// No more activations can be added.
  package mutating func close(on compute: Compute = .automatic) {
    isClosed = true
    guard !finished.isEmpty, !current.isEmpty else { return }
    addCurrent(on: compute)
    current = []
  }

  /// Adds the block that is being filled to the finished ones.
  private mutating func addCurrent(on compute: Compute) {
    finished.withUnsafeMutableBufferPointer { sums in
      current.withUnsafeMutableBufferPointer { block in
        nonisolated(unsafe) let (from, to) = (block.start, sums.start)
        Parallel.forEachRange(of: block.count, size: 1 << 16, threads: compute.threads) {
          compute.kernels.axpy($0.count, 1, from + $0.lowerBound, to + $0.lowerBound)
        }
      }
    }
  }

  /// Hands over XᵀX of all tokens so far, tile after tile, and starts anew with none.
  mutating func drain(on compute: Compute, _ body: (UnsafePointer<Float>) -> Void) {
    if tokens == 0 { return }
    if !finished.isEmpty {
      if !current.isEmpty { finishBlock(on: compute) }
      swap(&finished, &current)
      finished = []
    }
    tokens = 0
    guard !current.isEmpty else { return }
    current.withUnsafeMutableBufferPointer { sums in
      body(sums.start)
      sums.update(repeating: 0)
    }
  }

  private func sum(_ index: Int) -> Float {
    (finished.isEmpty ? 0 : finished[index]) + (current.isEmpty ? 0 : current[index])
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
    let start = base + TriangleTiles.offset(row, column)
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
  static let blockSide = 4

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

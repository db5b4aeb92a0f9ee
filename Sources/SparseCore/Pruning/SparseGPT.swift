/// Prunes column by column and lets the columns to the right make up for the error of those to the left.
///
/// Frantar & Alistarh 2023, arXiv 2301.00774, algorithm 1 with 2:4 groups and the mask chosen group by group.
/// The published form inverts the dampened gram and factors the inverse, whose upper factor is R⁻¹ for the
/// reversed Cholesky factorisation G = R Rᵀ. So no inverse is needed: with the errors E = W − Ŵ against the
/// original weights, the weights that the published algorithm has when it reaches column j are
/// W_j + (Σ_{k<j} E_k R_kj) / R_jj, and its scores w² / (R⁻¹)²_jj are w² R²_jj. Masks and weights are the
/// same but for rounding, at a quarter of the cost of its factorisations.
///
/// Of equal scores the lower column is kept. Inputs that are always 0 lose their weights.
public struct SparseGPT: SolvingPruner {
  /// The gram of the inputs.
  public let needs = StatisticsKind.gram

  /// What is added to the diagonal of the gram, as shares of its mean: the first with which it can be factored.
  ///
  /// The published default, then ten and a hundred times as much.
  static let dampenings: [Double] = [0.01, 0.1, 1]

  /// The method with its published dampening.
  public init() {}

  /// Factors the gram, for all layers with these inputs.
  ///
  /// Where no dampening makes it positive definite, the layers are pruned by ``Wanda`` and say so.
  public func solver(
    for inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> any LayerSolver {
    guard case .gram(let gram) = inputs else { throw .missingStatistics(needs) }
    let bad = gram.countNotFiniteInputs(on: compute)
    guard bad == 0 else { throw .nonFiniteInputs(count: bad) }
    let dampened = DampenedGram(gram)
    var largest = 0.0
    for dampening in Self.dampenings {
      largest = dampening
      if let factor = dampened.factor(dampening, on: compute) {
        return SparseGPTSolver(
          factor: factor.upper(on: compute), inputs: gram.inputs, deadInputs: dampened.deadInputs,
          dampening: dampening)
      }
    }
    return WandaFallback(
      norms: gram.norms, reason: .notPositiveDefinite(dampening: largest))
  }
}

/// A gram with its dead inputs seen to, ready to be dampened.
struct DampenedGram {
  private let gram: Gram
  private let diagonal: [Float]
  private let mean: Double
  /// The inputs that are 0 for every token.
  let deadInputs: [Int]

  /// A gram in which the dead inputs have 1 on the diagonal, in the scale of one token.
  init(_ gram: Gram) {
    self.gram = gram
    var diagonal = gram.sumsOfSquares
    deadInputs = diagonal.indices.filter { diagonal[$0] == 0 }
    for input in deadInputs { diagonal[input] = Float(max(1, gram.tokens)) }
    self.diagonal = diagonal
    mean = diagonal.reduce(0.0) { $0 + Double($1) } / Double(max(1, diagonal.count))
  }

  /// The factor of the gram with `dampening` times the mean of its diagonal added to the diagonal; nil where it is not positive definite.
  func factor(_ dampening: Double, on compute: Compute) -> Cholesky? {
    let added = Float(dampening * mean)
    return try? Cholesky(gram, diagonal: diagonal.map { $0 + added }, on: compute)
  }
}

/// SparseGPT for layers that share the factor of their gram.
private struct SparseGPTSolver: LayerSolver {
  /// R, in panels of its columns.
  let factor: TriangularPanels
  let inputs: Int
  let deadInputs: [Int]
  let dampening: Double

  func prune(
    _ weight: Matrix, on compute: Compute
  ) throws(PruningError) -> PrunedWeight {
    try weight.check(inputs: inputs, on: compute)
    let pieces = TriangularPanels.pieces(
      of: KernelSet.panels(for: weight.rows), threads: compute.threads)
    var bits = [UInt8](repeating: 0, count: weight.rows * Mask24.rowBytes(columns: inputs))
    let pruned = Matrix(rows: weight.rows, columns: inputs) { out in
      weight.values.withUnsafeBufferPointer { values in
        bits.withUnsafeMutableBufferPointer { bits in
          nonisolated(unsafe) let (from, to, mask) = (values.start, out.start, bits.start)
          Parallel.forEach(pieces.count, threads: compute.threads) { index in
            let weights = RowPanels(
              pieces[index], rows: weight.rows, columns: inputs, kernels: compute.kernels)
            weights.read(from)
            prune(weights, pieces[index], rows: weight.rows, mask: mask, kernels: compute.kernels)
            weights.write(to)
          }
        }
      }
    }
    let bad = pruned.countNotFinite(on: compute)
    guard bad == 0 else { throw .overflow(count: bad) }
    let mask = Mask24(rows: weight.rows, columns: inputs, bytes: bits)
    return PrunedWeight(weight: pruned, mask: mask, dampening: dampening)
  }

  /// Prunes some rows, 48 to a panel, from their first column to their last.
  ///
  /// The errors of finished blocks of columns reach a block by rank-k updates, those within the block
  /// tile by tile; what happens in a tile is one kernel.
  private func prune(
    _ weights: RowPanels, _ range: Range<Int>, rows: Int, mask: UnsafeMutablePointer<UInt8>,
    kernels: KernelSet
  ) {
    let errors = RowPanels(range, rows: rows, columns: inputs, kernels: kernels)
    errors.clear()
    for input in deadInputs { weights.clear(column: input) }
    let sums = errors.panels
    let updates = PanelUpdates(coefficients: factor, kernels: kernels)
    var bits = [UInt8](repeating: 0, count: KernelSet.tileMaskBytes)
    for block in TriangularPanels.blocks(count: factor.count) {
      updates.accumulate(0..<block.lowerBound, into: block, of: sums)
      for tile in block {
        updates.accumulate(block.lowerBound..<tile, into: tile..<tile + 1, of: sums)
        let start = tile * KernelSet.panelWidth
        let columns = min(KernelSet.panelWidth, inputs - start)
        for (index, panel) in weights.panels.enumerated() {
          kernels.pruneTile(
            columns: columns, factor: factor.tile(tile, tile),
            weights: panel + start * KernelSet.panelWidth,
            sums: sums[index] + start * KernelSet.panelWidth, mask: &bits)
          copy(bits, columns: start..<start + columns, rows: weights.rowRange(index), to: mask)
        }
      }
    }
  }

  /// Moves a tile's mask bytes, which lie byte after byte for 48 rows, to the rows of the mask.
  private func copy(
    _ bits: [UInt8], columns: Range<Int>, rows: Range<Int>, to mask: UnsafeMutablePointer<UInt8>
  ) {
    let rowBytes = Mask24.rowBytes(columns: inputs)
    for byte in 0..<(columns.count + 7) / 8 {
      let place = columns.lowerBound / 8 + byte
      for (index, row) in rows.enumerated() {
        mask[row * rowBytes + place] = bits[byte * KernelSet.panelWidth + index]
      }
    }
  }
}

/// What becomes of layers whose gram cannot be factored.
private struct WandaFallback: LayerSolver {
  let norms: [Float]
  let reason: PruningError

  func prune(_ weight: Matrix, on compute: Compute) throws(PruningError) -> PrunedWeight {
    var pruned = try Wanda().prune(weight, inputs: .norms(norms), on: compute)
    pruned.fallback = PrunedWeight.Fallback(method: .wanda, reason: reason)
    return pruned
  }
}

extension Matrix {
  /// Throws where a weight is not fit for a solver of so many inputs.
  fileprivate func check(inputs: Int, on compute: Compute) throws(PruningError) {
    guard columns % 4 == 0 else { throw .columnsNotMultipleOfFour(columns: columns) }
    guard columns == inputs else {
      throw .statisticsMismatch(columns: columns, features: inputs)
    }
    let bad = countNotFinite(on: compute)
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
  }
}

/// A gram with its dead inputs seen to and something added to its diagonal, so that it can be factored.
///
/// Everything is in the scale of XᵀX itself, not divided by the tokens.
package struct DampenedGram: Sendable {
  /// What is added to the diagonal, as shares of its mean: the first with which the gram can be factored.
  ///
  /// The default of SparseGPT's authors, then ten and a hundred times as much.
  package static let dampenings: [Double] = [0.01, 0.1, 1]

  private let gram: Gram
  /// What was added, as a share of the mean of the diagonal.
  let dampening: Double
  /// The diagonal with what was added.
  let diagonal: [Float]
  /// The inputs that are 0 for every token: 1 stands for what they are on the diagonal, in the scale of one token.
  let deadInputs: [Int]

  /// The number of inputs.
  var inputs: Int { gram.inputs }

  /// A gram with a share of the mean of its diagonal added to the diagonal.
  init(_ gram: Gram, dampening: Double) {
    self.gram = gram
    self.dampening = dampening
    var diagonal = gram.sumsOfSquares
    deadInputs = diagonal.indices.filter { diagonal[$0] == 0 }
    for input in deadInputs { diagonal[input] = Float(max(1, gram.tokens)) }
    let mean = diagonal.reduce(0.0) { $0 + Double($1) } / Double(max(1, diagonal.count))
    let added = Float(dampening * mean)
    self.diagonal = diagonal.map { $0 + added }
  }

  /// The gram with the least dampening that lets it be factored, and its factor; nil where none does.
  ///
  /// - Throws: ``PruningError`` where the statistics are missing or not finite.
  static func factored(
    _ inputs: InputStatistics, on compute: Compute
  ) throws(PruningError) -> (gram: DampenedGram, factor: Cholesky)? {
    guard case .gram(let gram) = inputs else { throw .missingStatistics(.gram) }
    let bad = gram.countNotFiniteInputs(on: compute)
    guard bad == 0 else { throw .nonFiniteInputs(count: bad) }
    for dampening in dampenings {
      let dampened = DampenedGram(gram, dampening: dampening)
      if let factor = dampened.factor(on: compute) { return (dampened, factor) }
    }
    return nil
  }

  /// The Cholesky factor with `penalty` times the diagonal added to the diagonal; nil where it is not positive definite.
  func factor(penalty: Float = 0, on compute: Compute) -> Cholesky? {
    try? Cholesky(gram, diagonal: diagonal.map { $0 + penalty * $0 }, on: compute)
  }

  /// The whole matrix, both halves, in panels of its columns; 0 outside it.
  func panels(on compute: Compute) -> TilePanels {
    let width = KernelSet.panelWidth
    let panels = TilePanels(.full, count: KernelSet.panels(for: inputs))
    Parallel.forEach(panels.count, threads: compute.threads) { row in
      for column in 0...row {
        let tile = panels.tile(row, column)
        gram.writeTile(row, column, times: 1, into: tile, kernels: compute.kernels)
        if column < row {
          compute.kernels.transposeTile(tile, into: panels.tile(column, row))
          continue
        }
        for i in 0..<width {
          if row * width + i < inputs { tile[i * width + i] = diagonal[row * width + i] }
          for j in 0..<i { tile[j * width + i] = tile[i * width + j] }
        }
      }
    }
    return panels
  }
}

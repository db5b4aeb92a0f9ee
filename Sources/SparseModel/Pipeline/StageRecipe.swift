public import SparseCore

/// What is done to the layers of a stage once their inputs are known.
struct StageRecipe {
  /// How weights are chosen.
  let pruner: any Pruner
  /// INT8 weights; nil for weights that keep their type.
  var quantization: QuantizationOptions?
  /// Whether inputs may be reordered where the architecture allows it.
  var permutes = false
  /// The α of SmoothQuant; nil for no smoothing.
  var smoothing: Float?
  /// The dense original of a model that is 2:4 already, whose masks are kept; nil to choose masks.
  var refit: (method: Refit, dense: Checkpoint)?
  /// The names of weights of which none is pruned: they are rounded to INT8 and nothing else.
  var dense: Set<ExactString> = []
  /// Whether a layer that another method had to stand in for is an error.
  var isStrict = false

  /// The statistics without which it cannot work.
  var needs: StatisticsKind { refit == nil ? pruner.needs : .gram }

  /// What prunes weights piece by piece while they are copied; nil where whole rows have to be there.
  var groupPruner: (any GroupPruner)? {
    quantization == nil && refit == nil ? pruner as? any GroupPruner : nil
  }

  /// The weight that a layer's outputs are compared with: the dense one where there is one.
  func original(of layer: LinearLayer) throws -> StoredMatrix {
    try refit?.dense.matrix(layer.name) ?? layer.weight
  }

  /// A layer's new weight.
  struct Layer {
    /// As it is written.
    let stored: StoredMatrix
    let dampening: Double?
    let fallback: PruningMethod?
    /// The smallest and the largest INT8 scale; nil for weights that keep their type.
    var scaleRange: ClosedRange<Float>? {
      guard let scales = stored.grid?.scales, let least = scales.min(), let most = scales.max()
      else { return nil }
      return least...most
    }
  }

  /// Whether none of a layer's weights is pruned.
  func keepsDense(_ layer: LinearLayer) -> Bool { dense.contains(ExactString(layer.name)) }

  /// Prunes layers that read the same inputs, some rows at a time, and rounds those that stay dense.
  ///
  /// - Parameters:
  ///   - space: where they are pruned; `inputs` is there already.
  ///   - panels: how many panels of 48 rows are solved together, of whichever layers.
  /// - Throws: ``LayerError``.
  func prune(
    _ layers: [LinearLayer], in space: StageSpace, inputs: InputStatistics, model: Checkpoint,
    panelsAtOnce panels: Int = .max, on compute: Compute
  ) throws -> [Layer] {
    let sparse = layers.filter { !keepsDense($0) }
    var solved =
      try sparse.isEmpty
      ? []
      : solve(
        sparse, in: space, inputs: inputs, model: model, panelsAtOnce: panels, on: compute)[...]
    return try layers.map {
      try keepsDense($0)
        ? rounded($0, in: space, model: model, on: compute) : solved.removeFirst()
    }
  }

  /// A dense layer, rounded to the nearest step of its grid.
  private func rounded(
    _ layer: LinearLayer, in space: StageSpace, model: Checkpoint, on compute: Compute
  ) throws -> Layer {
    guard let rule = rule(for: layer) else {
      preconditionFailure("\(layer.name) is neither pruned nor rounded")
    }
    let weight = space.entering(RowSource(layer.weight))
    var stored = StoredRows(rows: weight.rows, columns: weight.columns, type: .int8)
    do {
      try weight.forEach(weight.rowsAtOnce, on: compute) { _, rows in
        stored.append(rows, grid: try rule.grid(for: rows, on: compute), on: compute)
      }
    } catch let error as PruningError {
      throw LayerError(layer: layer.name, model: model.path, reason: error)
    }
    return Layer(stored: stored.finish(), dampening: nil, fallback: nil)
  }

  /// How a layer's INT8 scales are found; nil for weights that keep their type.
  private func rule(for layer: LinearLayer) -> Int8Rule? {
    quantization.map { Int8Rule(groupSize: $0.groupSize, scaleType: layer.stored.type) }
  }

  /// Solves layers, those together whose INT8 scales have the same type.
  private func solve(
    _ layers: [LinearLayer], in space: StageSpace, inputs: InputStatistics, model: Checkpoint,
    panelsAtOnce panels: Int, on compute: Compute
  ) throws -> [Layer] {
    let groups = Dictionary(grouping: layers.indices) { rule(for: layers[$0])?.scaleType }
    var solved: [Int: Layer] = [:]
    for indices in groups.values.sorted(by: { $0[0] < $1[0] }) {
      let results = try solveTogether(
        indices.map { layers[$0] }, in: space, inputs: inputs, model: model, panelsAtOnce: panels,
        on: compute)
      for (index, result) in zip(indices, results) { solved[index] = result }
    }
    return layers.indices.compactMap { solved[$0] }
  }

  /// Solves layers that share the rule for their INT8 scales.
  private func solveTogether(
    _ layers: [LinearLayer], in space: StageSpace, inputs: InputStatistics, model: Checkpoint,
    panelsAtOnce panels: Int, on compute: Compute
  ) throws -> [Layer] {
    let weights = layers.map { space.entering(RowSource($0.weight)) }
    let types = layers.map { quantization == nil ? $0.stored.type : .int8 }
    do {
      var solver = try solver(layers, in: space, inputs: inputs, on: compute)
      var stored = zip(weights, types).map {
        StoredRows(rows: $0.rows, columns: $0.columns, type: $1)
      }
      var notes: [(dampening: Double?, fallback: PrunedWeight.Fallback?)?] = layers.map { _ in nil }
      for batch in RowBatch.batches(ofRows: weights.map(\.rows), panels: panels) {
        let pruned = try solver.prune(
          zip(weights, batch.rows).map { $0.rows($1, on: compute) }, rows: batch, on: compute)
        for index in pruned.indices where !batch.rows[index].isEmpty {
          if isStrict, let fallback = pruned[index].fallback {
            throw LayerPruningError(layer: index, reason: fallback.reason)
          }
          stored[index].append(pruned[index].weight, grid: pruned[index].grid, on: compute)
          notes[index] = notes[index] ?? (pruned[index].dampening, pruned[index].fallback)
        }
      }
      return try layers.indices.map { index in
        let stored = stored[index].finish()
        let bad = stored.type == .int8 ? 0 : stored.countNotFinite(on: compute)
        guard bad == 0 else { throw LayerPruningError(layer: index, reason: .overflow(count: bad)) }
        return Layer(
          stored: stored, dampening: notes[index]?.dampening,
          fallback: notes[index]?.fallback?.method)
      }
    } catch let error as LayerPruningError {
      throw LayerError(
        layer: layers[error.layer].name, model: model.path, reason: error.reason)
    }
  }

  /// What prunes or repairs any rows of a stage.
  private struct Solver {
    var pruning: StageSolver?
    var repair: (solver: RefitSolver, dense: [RowSource])?

    mutating func prune(
      _ weights: [Matrix], rows batch: RowBatch, on compute: Compute
    ) throws(LayerPruningError) -> [PrunedWeight] {
      if let (solver, dense) = repair {
        let originals = zip(dense, batch.rows).map { $0.rows($1, on: compute) }
        return try solver.refit(weights, to: originals, on: compute)
      }
      return try pruning?.prune(weights, on: compute) ?? []
    }
  }

  private func solver(
    _ layers: [LinearLayer], in space: StageSpace, inputs: InputStatistics, on compute: Compute
  ) throws -> Solver {
    let rule = rule(for: layers[0])
    if let refit {
      let dense = try layers.map {
        space.entering(RowSource(try refit.dense.matrix($0.name)))
      }
      let solver = try refit.method.solver(for: inputs, onto: rule, on: compute)
      return Solver(repair: (solver, dense))
    }
    let order = quantization?.order ?? .joint
    let pruner = StagePruner(pruner, quantization: rule.map { ($0, order) })
    return Solver(pruning: try pruner.solver(for: inputs, on: compute))
  }
}

/// Rows of several layers that are solved together: a range of each, often an empty one.
struct RowBatch {
  let rows: [Range<Int>]

  /// All rows of some layers in order, in batches of at most `panels` panels of 48 rows and at least one.
  static func batches(ofRows counts: [Int], panels: Int) -> [RowBatch] {
    let width = RowSource.panelRows
    let all = counts.reduce(0) { $0 + ($1 + width - 1) / width }
    let most = min(max(1, panels), max(1, all))
    var batches: [RowBatch] = []
    var (open, room) = (counts.map { _ in 0..<0 }, most)
    for (layer, count) in counts.enumerated() {
      var start = 0
      while start < count {
        let end = min(count, start + room * width)
        open[layer] = start..<end
        room -= (end - start + width - 1) / width
        start = end
        if room == 0 {
          batches.append(RowBatch(rows: open))
          (open, room) = (counts.map { _ in 0..<0 }, most)
        }
      }
    }
    if room < most || batches.isEmpty { batches.append(RowBatch(rows: open)) }
    return batches
  }
}

/// INT8 weights: how they come about and how they are scaled.
public struct QuantizationOptions: Sendable, Equatable {
  /// The order of pruning and rounding.
  public var order: QuantizationOrder
  /// The number of neighbouring inputs that share a scale; nil for one scale per output channel.
  public var groupSize: Int?

  /// The options; by default both at once, and a scale per output channel.
  public init(order: QuantizationOrder = .joint, groupSize: Int? = nil) {
    self.order = order
    self.groupSize = groupSize
  }
}

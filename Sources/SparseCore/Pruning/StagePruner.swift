/// Makes all layers that read the same inputs 2:4, and INT8 where that is asked for.
public struct StagePruner: Sendable {
  /// How weights are chosen.
  public let pruner: any Pruner
  /// The INT8 grid and the order in which it comes; nil for weights that stay as they are.
  public let quantization: (rule: Int8Rule, order: QuantizationOrder)?

  /// A method, and how it is joined with quantization.
  public init(
    _ pruner: any Pruner, quantization: (rule: Int8Rule, order: QuantizationOrder)? = nil
  ) {
    self.pruner = pruner
    self.quantization = quantization
  }

  /// The layers' weights, pruned, and on their grids.
  ///
  /// - Parameters:
  ///   - weights: of layers that read the same inputs, `outputs × inputs` each.
  ///   - inputs: statistics of at least the kind that the method needs.
  /// - Throws: ``LayerPruningError`` where a shape, a weight or the statistics do not allow it.
  public func prune(
    _ weights: [Matrix], inputs: InputStatistics, on compute: Compute = .automatic
  ) throws(LayerPruningError) -> [PrunedWeight] {
    var solver = try solver(for: inputs, on: compute)
    return try solver.prune(weights, on: compute)
  }

  /// What prunes all rows of the layers that read these inputs, any of them at a time.
  ///
  /// - Throws: ``LayerPruningError`` where the statistics do not allow it.
  package func solver(
    for inputs: InputStatistics, on compute: Compute
  ) throws(LayerPruningError) -> StageSolver {
    let solvers = try [inputs].mapLayers { inputs throws(PruningError) -> any LayerSolver in
      guard let solving = pruner as? any SolvingPruner else {
        return EachLayer(pruner: pruner, inputs: inputs)
      }
      return try solving.solver(for: inputs, on: compute)
    }
    return StageSolver(
      solver: solvers[0], solvesOntoGrids: pruner is any SolvingPruner, quantization: quantization)
  }
}

/// A method that has taken in the inputs of a stage, and prunes rows of its layers.
package struct StageSolver: Sendable {
  private var solver: any LayerSolver
  private let solvesOntoGrids: Bool
  private let quantization: (rule: Int8Rule, order: QuantizationOrder)?

  fileprivate init(
    solver: any LayerSolver, solvesOntoGrids: Bool,
    quantization: (rule: Int8Rule, order: QuantizationOrder)?
  ) {
    self.solver = solver
    self.solvesOntoGrids = solvesOntoGrids
    self.quantization = quantization
  }

  /// Some rows of the layers, pruned, and on their grids; `weights` has an entry for every layer, of any number of rows.
  package mutating func prune(
    _ weights: [Matrix], on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    guard let (rule, order) = quantization else {
      return try solver.prune(weights, onto: nil, on: compute)
    }
    switch order {
    case .joint where solvesOntoGrids:
      return try solver.prune(weights, onto: rule, on: compute)
    case .joint, .pruneFirst:
      return try solver.prune(weights, onto: nil, on: compute).mapLayers {
        layer throws(PruningError) in try layer.quantized(by: rule, on: compute)
      }
    case .quantizeFirst:
      let grids = try weights.mapLayers { weight throws(PruningError) in
        try rule.grid(for: weight, on: compute)
      }
      let rounded = zip(weights, grids).map { $1.rounded($0, on: compute) }
      return zip(try solver.prune(rounded, onto: nil, on: compute), grids).map {
        $0.quantized(on: $1, on: compute)
      }
    }
  }
}

/// A method that looks at one layer at a time.
private struct EachLayer: LayerSolver {
  let pruner: any Pruner
  let inputs: InputStatistics

  func prune(
    _ weights: [Matrix], onto rule: Int8Rule?, on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    try weights.mapLayers { weight throws(PruningError) in
      let pruned = try pruner.prune(weight, inputs: inputs, on: compute)
      return try rule.map { rule throws(PruningError) in
        try pruned.quantized(by: rule, on: compute)
      } ?? pruned
    }
  }
}

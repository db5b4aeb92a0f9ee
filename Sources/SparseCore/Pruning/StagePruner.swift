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
    guard let (rule, order) = quantization else {
      return try pruned(weights, inputs: inputs, onto: nil, on: compute)
    }
    switch order {
    case .joint where pruner is any SolvingPruner:
      return try pruned(weights, inputs: inputs, onto: rule, on: compute)
    case .joint, .pruneFirst:
      return try pruned(weights, inputs: inputs, onto: nil, on: compute).mapLayers {
        layer throws(PruningError) in try layer.quantized(by: rule, on: compute)
      }
    case .quantizeFirst:
      let grids = try weights.mapLayers { weight throws(PruningError) in
        try rule.grid(for: weight, on: compute)
      }
      let rounded = zip(weights, grids).map { $1.rounded($0, on: compute) }
      return zip(try pruned(rounded, inputs: inputs, onto: nil, on: compute), grids).map {
        $0.quantized(on: $1, on: compute)
      }
    }
  }

  private func pruned(
    _ weights: [Matrix], inputs: InputStatistics, onto rule: Int8Rule?, on compute: Compute
  ) throws(LayerPruningError) -> [PrunedWeight] {
    guard let solving = pruner as? any SolvingPruner else {
      return try weights.mapLayers { weight throws(PruningError) in
        try pruner.prune(weight, inputs: inputs, on: compute)
      }
    }
    let solvers = try [inputs].mapLayers { inputs throws(PruningError) in
      try solving.solver(for: inputs, on: compute)
    }
    return try solvers[0].prune(weights, onto: rule, on: compute)
  }
}

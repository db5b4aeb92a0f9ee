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
  /// Whether a layer that another method had to stand in for is an error.
  var isStrict = false

  /// The statistics without which it cannot work.
  var needs: StatisticsKind { refit == nil ? pruner.needs : .gram }

  /// The weight that a layer's outputs are compared with: the dense one where there is one.
  func original(of layer: LinearLayer) throws -> StoredMatrix {
    try refit?.dense.matrix(layer.name) ?? layer.weight
  }

  /// A layer's new weight.
  struct Layer {
    /// As it is written.
    let stored: StoredMatrix
    /// As the run goes on with it, in the model's own order and scale.
    let running: Matrix
    let dampening: Double?
    let fallback: PruningMethod?
    /// The smallest and the largest INT8 scale; nil for weights that keep their type.
    let scaleRange: ClosedRange<Float>?
  }

  /// Prunes layers that read the same inputs.
  ///
  /// - Throws: ``LayerError``.
  func prune(
    _ layers: [LinearLayer], in space: StageSpace, inputs: InputStatistics, model: Checkpoint,
    on compute: Compute
  ) throws -> [Layer] {
    let weights = layers.map { space.entering(Matrix($0.weight, on: compute), on: compute) }
    let statistics = space.entering(inputs, on: compute)
    let types = layers.map(\.weight.type)
    let rule = quantization.map { Int8Rule(groupSize: $0.groupSize, scaleType: types[0]) }
    do {
      let pruned: [PrunedWeight]
      if let refit {
        let dense = try layers.map { Matrix(try refit.dense.matrix($0.name), on: compute) }
        pruned = try refit.method.refit(
          weights, to: dense, inputs: statistics, onto: rule, on: compute)
      } else {
        let order = quantization?.order ?? .joint
        pruned = try StagePruner(pruner, quantization: rule.map { ($0, order) })
          .prune(weights, inputs: statistics, on: compute)
      }
      return try pruned.indices.map { index in
        if isStrict, let fallback = pruned[index].fallback {
          throw LayerPruningError(layer: index, reason: fallback.reason)
        }
        let stored = try stored(pruned[index], index, as: types[index], on: compute)
        let scales = pruned[index].grid?.scales
        return Layer(
          stored: stored, running: space.leaving(Matrix(stored, on: compute), on: compute),
          dampening: pruned[index].dampening, fallback: pruned[index].fallback?.method,
          scaleRange: scales.flatMap { scales in
            scales.min().flatMap { least in scales.max().map { least...$0 } }
          })
      }
    } catch let error as LayerPruningError {
      throw LayerError(
        layer: layers[error.layer].name, model: model.path, reason: error.reason)
    }
  }

  /// A pruned weight in the type of the checkpoint, or INT8 on its grid.
  private func stored(
    _ pruned: PrunedWeight, _ layer: Int, as type: ScalarType, on compute: Compute
  ) throws(LayerPruningError) -> StoredMatrix {
    if let grid = pruned.grid {
      return StoredMatrix(quantizing: pruned.weight, on: grid, on: compute)
    }
    let stored = StoredMatrix(pruned.weight, as: type, on: compute)
    let bad = stored.countNotFinite(on: compute)
    guard bad == 0 else { throw LayerPruningError(layer: layer, reason: .overflow(count: bad)) }
    return stored
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

internal import SparseCore

/// The order and the scale of a stage's inputs in which its layers are pruned and written.
///
/// The run itself computes with the model's own order and scale: a weight enters this space to be pruned and
/// leaves it to be multiplied. What makes up for it in the written model are the layers and the norm before.
struct StageSpace: Sendable {
  /// The new order of the inputs; nil for the model's own.
  var order: ChannelOrder?
  /// What the inputs are divided by and the weights' columns multiplied with; nil for 1.
  var scales: [Float]?

  /// Whether it is the model's own.
  var isIdentity: Bool { order == nil && scales == nil }

  /// A weight of the model as it is in this space.
  func entering(_ weight: Matrix, on compute: Compute) -> Matrix {
    let scaled = scales.map(weight.scaled(columns:)) ?? weight
    return order.map { scaled.permuted(columns: $0.columns, on: compute) } ?? scaled
  }

  /// A weight of this space as the model has it.
  func leaving(_ weight: Matrix, on compute: Compute) -> Matrix {
    let ordered = order.map { weight.permuted(columns: $0.columns.inverse, on: compute) } ?? weight
    return scales.map(ordered.divided(columns:)) ?? ordered
  }

  /// A weight of the model as it is in this space, made when it is read.
  func entering(_ weight: RowSource) -> RowSource {
    isIdentity ? weight : weight.map { [self] in entering($0, on: $1) }
  }

  /// A weight of this space as the model has it, made when it is read.
  func leaving(_ weight: RowSource) -> RowSource {
    isIdentity ? weight : weight.map { [self] in leaving($0, on: $1) }
  }

  /// Some of the model's inputs, `tokens × inputs`, as they are in this space.
  func entering(inputs: Matrix, on compute: Compute) -> Matrix {
    let scaled = scales.map(inputs.divided(columns:)) ?? inputs
    return order.map { scaled.permuted(columns: $0.columns, on: compute) } ?? scaled
  }

  /// What is known of the model's inputs as it is in this space.
  func entering(_ inputs: InputStatistics, on compute: Compute) -> InputStatistics {
    switch inputs {
    case .none: return .none
    case .norms(let norms):
      let scaled = scales.map { zip(norms, $0).map(/) } ?? norms
      return .norms(order.map { scaled.permuted(by: $0.columns) } ?? scaled)
    case .gram(let gram):
      return .gram(
        gram.rearranged(by: order?.columns.order, dividedBy: scales, on: compute))
    }
  }
}

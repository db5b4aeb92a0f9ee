public import SparseCore

/// An error of pruning with the layer that it came from.
public struct LayerError: Error, CustomStringConvertible {
  /// The weight's name.
  public let layer: String
  /// The checkpoint's path.
  public let model: String
  /// What went wrong.
  public let reason: PruningError

  /// One line that names the file and the tensor.
  public var description: String { "\(model): tensor '\(layer)': \(reason)" }
}

/// A layer's weight after pruning, with the mask that it has.
public struct PrunedWeight: Sendable {
  /// The pruned weight, `outputs × inputs`: exactly 0 outside the mask.
  public var weight: Matrix
  /// The kept weights.
  public var mask: Mask24
  /// The INT8 grid that the weight's values lie on; nil where none was asked for.
  public var grid: Int8Grid?
  /// The dampening of the gram, as a share of the mean of its diagonal; nil where no gram was factored.
  public var dampening: Double?
  /// The method that replaced the one asked for, and the reason; nil where none did.
  public var fallback: Fallback?

  /// Another method in place of the one asked for.
  public struct Fallback: Sendable, Equatable {
    /// The method that was used.
    public let method: PruningMethod
    /// Why the other one could not be.
    public let reason: PruningError

    /// A method and the reason to use it.
    public init(method: PruningMethod, reason: PruningError) {
      self.method = method
      self.reason = reason
    }
  }

  /// A pruned weight and its mask, and how it came about.
  public init(
    weight: Matrix, mask: Mask24, grid: Int8Grid? = nil, dampening: Double? = nil,
    fallback: Fallback? = nil
  ) {
    self.weight = weight
    self.mask = mask
    self.grid = grid
    self.dampening = dampening
    self.fallback = fallback
  }

  /// The weight with its kept values rounded to a grid of their own.
  ///
  /// - Throws: ``PruningError/quantization(_:)``.
  func quantized(
    by rule: Int8Rule, on compute: Compute
  ) throws(PruningError) -> PrunedWeight {
    quantized(on: try rule.grid(for: weight, on: compute), on: compute)
  }

  /// The weight with its values rounded to a grid.
  func quantized(on grid: Int8Grid, on compute: Compute) -> PrunedWeight {
    var result = self
    result.weight = grid.rounded(weight, on: compute)
    result.grid = grid
    return result
  }
}

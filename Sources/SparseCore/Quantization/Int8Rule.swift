/// How a pruner is to put the weights that it keeps on an INT8 grid.
public struct Int8Rule: Sendable, Equatable {
  /// The number of neighbouring columns that share a scale; nil for one scale per output channel.
  public var groupSize: Int?
  /// The type that the scales are rounded to: that of the checkpoint, in which others compute with them.
  public var scaleType: ScalarType

  /// A rule; by default one float32 scale per output channel.
  public init(groupSize: Int? = nil, scaleType: ScalarType = .float32) {
    self.groupSize = groupSize
    self.scaleType = scaleType
  }

  /// The grid that fits a weight.
  ///
  /// - Throws: ``PruningError/quantization(_:)``.
  public func grid(
    for weight: Matrix, on compute: Compute = .automatic
  ) throws(PruningError) -> Int8Grid {
    do {
      return try Int8Grid(for: weight, groupSize: groupSize, on: compute)
        .withScales(roundedTo: scaleType, on: compute)
    } catch {
      throw .quantization(error)
    }
  }
}

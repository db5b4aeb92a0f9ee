/// One of cuSPARSELt's kernels for a product, and into how many parts it cuts the reduction.
public struct AlgorithmChoice: Sendable, Hashable {
  /// The number of the kernel: it means something only for one library, GPU, type and shape.
  public var configuration: Int
  /// The parts that the reduction dimension is cut into; 1 for none.
  public var splits: Int
  /// How the parts are summed: `cusparseLtSplitKMode_t`.
  public var splitMode: Int

  /// A kernel; by default the reduction stays whole.
  public init(configuration: Int, splits: Int = 1, splitMode: Int = 0) {
    self.configuration = configuration
    self.splits = splits
    self.splitMode = splitMode
  }

  /// Modes that every version has: one kernel that sums as it goes, and a second kernel that sums.
  static let splitModes = [1, 2]
}

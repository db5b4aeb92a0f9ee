/// One of cuSPARSELt's kernels for a product, and into how many parts it cuts the reduction.
public struct AlgorithmChoice: Sendable, Hashable {
  /// The number of the kernel: it means something only for one library, GPU, type and shape.
  public var configuration: Int
  /// The parts that the reduction dimension is cut into: 1 for none, ``segments`` for as many as the library thinks
  /// right.
  public var splits: Int
  /// How the parts are summed: `cusparseLtSplitKMode_t`.
  public var splitMode: Int

  /// A kernel; by default the reduction stays whole.
  public init(configuration: Int, splits: Int = 1, splitMode: Int = 0) {
    self.configuration = configuration
    self.splits = splits
    self.splitMode = splitMode
  }

  /// The number of parts that stands for segments of the library's own choice, on GPUs of compute capability 9.
  public static let segments = -1

  /// The ways in which a GPU can cut the reduction of a kernel.
  ///
  /// NVIDIA's documentation of `CUSPARSELT_MATMUL_SPLIT_K` allows any number of parts before 9.0, and from then on 1 and
  /// −1. Of 10.0 and later it is reported that −1 hangs where there is no such kernel: it is not tried there.
  func cut(on capability: ComputeCapability) -> [AlgorithmChoice] {
    switch capability.major {
    case ..<9:
      [2, 3, 4, 8].flatMap { splits in
        Self.splitModes.map {
          AlgorithmChoice(configuration: configuration, splits: splits, splitMode: $0)
        }
      }
    case 9: [AlgorithmChoice(configuration: configuration, splits: Self.segments)]
    default: []
    }
  }

  /// Modes that every version has: one kernel that sums as it goes, and a second kernel that sums.
  private static let splitModes = [1, 2]
}

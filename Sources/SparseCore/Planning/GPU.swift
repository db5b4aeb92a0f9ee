/// What a GPU's datasheet says that decides how fast it multiplies matrices.
///
/// Rates are those of dense products, as the datasheet gives them without sparsity; where it prints
/// only the rate with 2:4 sparsity, half of that.
public struct GPU: Sendable, Equatable {
  /// What the command line calls it.
  public let name: String
  /// Dense float16 and bfloat16 products with float32 sums, in 10¹² operations a second.
  public let halfRate: Double
  /// Dense INT8 products, in 10¹² operations a second.
  public let int8Rate: Double
  /// Memory bandwidth in 10⁹ bytes a second.
  public let bandwidth: Double
  /// Memory in 10⁹ bytes.
  public let memory: Double
  /// Whether its tensor cores skip the pruned half of 2:4 weights, at twice the dense rates.
  public let hasSparseTensorCores: Bool

  /// A GPU with these numbers, all above 0.
  public init(
    name: String, halfRate: Double, int8Rate: Double, bandwidth: Double, memory: Double,
    hasSparseTensorCores: Bool = true
  ) {
    precondition(
      [halfRate, int8Rate, bandwidth, memory].allSatisfy { $0 > 0 && $0.isFinite },
      "GPU \(name): \(halfRate), \(int8Rate), \(bandwidth) and \(memory) must be above 0")
    self.name = name
    self.halfRate = halfRate
    self.int8Rate = int8Rate
    self.bandwidth = bandwidth
    self.memory = memory
    self.hasSparseTensorCores = hasSparseTensorCores
  }

  /// The GPUs with known numbers, one line each.
  ///
  /// Sources: NVIDIA's datasheets of the A100 (SXM, June 2021), A30, A10, L4, L40S, H100, H200 and DGX B200 (an eighth of
  /// the system's memory and bandwidth) with the Blackwell architecture brief (B200 at 1000 W), and the tables in the
  /// appendices of the architecture whitepapers GA102 (RTX 3090), Ada (RTX 4090) and RTX Blackwell (RTX 5090). The L4's,
  /// H100's and H200's datasheets print rates with sparsity: halved here. GeForce cards sum in float32 at half of
  /// their float16 rate: that half is given.
  public static let all: [GPU] = [
    GPU(name: "a100-40", halfRate: 312, int8Rate: 624, bandwidth: 1555, memory: 40),
    GPU(name: "a100-80", halfRate: 312, int8Rate: 624, bandwidth: 2039, memory: 80),
    GPU(name: "a30", halfRate: 165, int8Rate: 330, bandwidth: 933, memory: 24),
    GPU(name: "a10", halfRate: 125, int8Rate: 250, bandwidth: 600, memory: 24),
    GPU(name: "l4", halfRate: 121, int8Rate: 242.5, bandwidth: 300, memory: 24),
    GPU(name: "l40s", halfRate: 362, int8Rate: 733, bandwidth: 864, memory: 48),
    GPU(name: "rtx-3090", halfRate: 71, int8Rate: 284, bandwidth: 936, memory: 24),
    GPU(name: "rtx-4090", halfRate: 165.2, int8Rate: 660.6, bandwidth: 1008, memory: 24),
    GPU(name: "rtx-5090", halfRate: 209.5, int8Rate: 838, bandwidth: 1792, memory: 32),
    GPU(name: "h100-sxm", halfRate: 989.5, int8Rate: 1979, bandwidth: 3350, memory: 80),
    GPU(name: "h100-pcie", halfRate: 756, int8Rate: 1513, bandwidth: 2000, memory: 80),
    GPU(name: "h200", halfRate: 989.5, int8Rate: 1979, bandwidth: 4800, memory: 141),
    GPU(name: "b200", halfRate: 2250, int8Rate: 4500, bandwidth: 8000, memory: 180),
  ]
}

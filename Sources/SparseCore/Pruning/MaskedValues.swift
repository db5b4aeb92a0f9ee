/// The zeros and the patterns of weights that are 2:4.
public struct MaskedValues: Sendable, Equatable {
  /// Values that are zero.
  public var zeros = 0
  /// Groups with exactly two values that are not zero, by their ``Pattern24`` in the order of its cases.
  public private(set) var patterns = [Int](repeating: 0, count: Pattern24.allCases.count)

  /// Nothing.
  public init() {}

  mutating func addPatterns(
    _ count: Int, _ type: ScalarType, _ values: UnsafeRawPointer, kernels: KernelSet
  ) {
    kernels.addPatterns24(count, type, values, to: &patterns)
  }

  /// Adds what other weights hold.
  public static func += (sum: inout MaskedValues, more: MaskedValues) {
    sum.zeros += more.zeros
    for index in sum.patterns.indices { sum.patterns[index] += more.patterns[index] }
  }
}

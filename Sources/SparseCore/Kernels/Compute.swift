internal import CSparseKernels
internal import Synchronization

/// What to compute with: a kernel set and a number of threads.
///
/// The threads change the time, never the result.
public struct Compute: Sendable, Equatable {
  /// The instruction set's kernels.
  public var kernels: KernelSet
  /// How many threads may work at once, at least 1.
  public var threads: Int

  /// The best kernels on all processors that this process may use.
  ///
  /// The environment has no say: a program that lets its user choose asks `KernelSet.fromEnvironment()`, and reports
  /// what that throws.
  public static var automatic: Compute {
    Compute(
      kernels: KernelSet.available[preferred.load(ordering: .relaxed)], threads: processors)
  }

  private static let processors = sk_processors()
  /// The place of the automatic kernels among those available.
  private static let preferred = Atomic(KernelSet.available.count - 1)

  /// Makes some kernels the automatic ones from now on, for a program whose user has chosen them.
  package static func prefer(_ kernels: KernelSet) {
    let place = KernelSet.available.firstIndex(of: kernels) ?? KernelSet.available.count - 1
    preferred.store(place, ordering: .relaxed)
  }

  /// A choice of kernels and threads.
  public init(
    kernels: KernelSet = Compute.automatic.kernels, threads: Int = Compute.automatic.threads
  ) {
    precondition(threads >= 1, "Compute: \(threads) threads")
    self.kernels = kernels
    self.threads = threads
  }
}

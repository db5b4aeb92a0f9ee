internal import CSparseKernels

/// What to compute with: a kernel set and a number of threads.
///
/// The threads change the time, never the result.
public struct Compute: Sendable, Equatable {
  /// The instruction set's kernels.
  public var kernels: KernelSet
  /// How many threads may work at once, at least 1.
  public var threads: Int

  /// The kernels that `SPARSIFY_KERNEL` names, else the best ones, on all processors that this process may use.
  ///
  /// Traps if `SPARSIFY_KERNEL` names kernels that this processor cannot run: a program that wants to
  /// report that calls `KernelSet.fromEnvironment()` first.
  public static let automatic: Compute = {
    do throws(KernelError) {
      return Compute(kernels: try KernelSet.fromEnvironment(), threads: sk_processors())
    } catch {
      preconditionFailure("SPARSIFY_KERNEL: \(error)")
    }
  }()

  /// A choice of kernels and threads.
  public init(
    kernels: KernelSet = Compute.automatic.kernels, threads: Int = Compute.automatic.threads
  ) {
    precondition(threads >= 1, "Compute: \(threads) threads")
    self.kernels = kernels
    self.threads = threads
  }
}

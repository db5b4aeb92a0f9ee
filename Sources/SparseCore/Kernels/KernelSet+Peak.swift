internal import CSparseKernels

/// What the processor can do at best.
extension KernelSet {
  /// Runs multiply-adds that depend on nothing but themselves, and returns how many floating-point operations that was.
  package func runPeak(steps: Int) -> Double {
    var sink: Float = 1
    let operations = table.pointee.fma_peak(steps, &sink)
    precondition(!sink.isNaN)  // and so the loop cannot be left out
    return operations
  }

  /// Reads `n` bytes and returns the sum of their 8-byte words.
  package func readAll(_ n: Int, _ bytes: UnsafeRawPointer) -> UInt64 {
    table.pointee.read_words(n, bytes)
  }
}

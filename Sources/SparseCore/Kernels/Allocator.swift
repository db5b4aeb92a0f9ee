internal import CSparseKernels

/// The C library's allocator, as far as it needs a hint.
package enum Allocator {
  /// Gives memory that was freed back to the system, where the C library would keep it.
  ///
  /// glibc keeps what was freed between arrays that are still in use; over the blocks of a model that
  /// can add up to half as much again as is needed.
  package static func returnFreedMemory() { sk_return_freed_memory() }

  /// Keeps memory that is freed for whoever asks next, as long as `body` runs.
  ///
  /// For work that makes and drops the same large arrays over and over: glibc would give each of them back to the
  /// system and have it cleared anew. A setting of the whole process.
  package static func keepingFreedMemory<Result>(
    _ body: () throws -> Result
  ) rethrows -> Result {
    sk_keep_freed_memory(1)
    defer {
      sk_keep_freed_memory(0)
      sk_return_freed_memory()
    }
    return try body()
  }
}

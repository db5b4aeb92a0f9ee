internal import CSparseKernels

/// The C library's allocator, as far as it needs a hint.
package enum Allocator {
  /// Gives memory that was freed back to the system, where the C library would keep it.
  ///
  /// glibc keeps what was freed between arrays that are still in use; over the blocks of a model that
  /// can add up to half as much again as is needed.
  package static func returnFreedMemory() { sk_return_freed_memory() }
}

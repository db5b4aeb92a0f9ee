/// Uninitialised float32 values on a cache line of their own, for what kernels read and write over and over.
///
/// The address is valid as long as the object: closures that use it capture the object.
package final class AlignedFloats: Sendable {
  package nonisolated(unsafe) let pointer: UnsafeMutablePointer<Float>
  package let count: Int

  package init(count: Int) {
    precondition(count >= 0, "AlignedFloats: \(count) values")
    self.count = count
    pointer = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
      .bindMemory(to: Float.self, capacity: count)
  }

  /// Calls `body` with the address of `count` uninitialised values that are gone when it returns.
  package static func withScratch(count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let scratch = AlignedFloats(count: count)
    withExtendedLifetime(scratch) { body(scratch.pointer) }
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }
}

/// Uninitialised float32 values on a cache line of their own, for what kernels read and write over and over.
package final class AlignedFloats: Sendable {
  package nonisolated(unsafe) let pointer: UnsafeMutablePointer<Float>
  package let count: Int

  package init(count: Int) {
    precondition(count >= 0, "AlignedFloats: \(count) values")
    self.count = count
    pointer = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
      .bindMemory(to: Float.self, capacity: count)
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }
}

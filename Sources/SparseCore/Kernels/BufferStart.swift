/// What an empty buffer without an address starts at: valid to pass on, never read.
private nonisolated(unsafe) let nowhere = UnsafeMutableRawPointer.allocate(
  byteCount: 64, alignment: 64)

/// The first element's address, for kernels that take a pointer and a count that may be 0.
extension UnsafeBufferPointer {
  package var start: UnsafePointer<Element> {
    baseAddress ?? UnsafePointer(nowhere.assumingMemoryBound(to: Element.self))
  }
}

extension UnsafeMutableBufferPointer {
  package var start: UnsafeMutablePointer<Element> {
    baseAddress ?? nowhere.assumingMemoryBound(to: Element.self)
  }
}

extension UnsafeRawBufferPointer {
  package var start: UnsafeRawPointer { baseAddress ?? UnsafeRawPointer(nowhere) }
}

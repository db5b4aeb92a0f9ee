/// Room for a structure of which only the library knows the size, at an address that never changes.
///
/// NVIDIA's opaque structures have 512 to 13,072 bytes, by version, and hold pointers into themselves.
struct OpaqueStorage: ~Copyable {
  let address: UnsafeMutableRawPointer

  /// Room that is all zero.
  init() {
    address = .allocate(byteCount: Self.byteCount, alignment: 64)
    address.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
  }

  deinit { address.deallocate() }

  private static let byteCount = 1 << 14
}

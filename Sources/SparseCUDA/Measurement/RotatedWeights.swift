/// Copies of one weight, that take turns so that each comes from memory and not from a cache.
struct RotatedWeights: ~Copyable {
  private let bytes: DeviceBuffer
  private let stride: Int
  private let count: Int

  /// As many copies as take several times the GPU's cache together, two at least.
  init(_ weight: borrowing DeviceBuffer, on device: CUDADevice) throws(CUDAError) {
    let stride = (weight.byteCount + 255) / 256 * 256
    let count = max(2, (4 * device.cacheBytes + stride - 1) / stride)
    let bytes = try DeviceBuffer(byteCount: stride * count, on: device)
    for turn in 0..<count { try bytes.copy(weight, to: turn * stride) }
    try device.synchronize()
    self.bytes = bytes
    self.stride = stride
    self.count = count
  }

  /// Where the weight of a turn begins.
  subscript(turn: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(bytes.address + turn % count * stride)
  }
}

internal import SparseCore

/// Random numbers of a format, as many as are asked for: GPUs run faster on zeros than on what models have.
struct RandomBytes {
  private let block: ByteView

  init(_ type: DeviceType, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let count = Self.blockBytes / type.byteCount
    switch type {
    case .float16, .bfloat16:
      let values = (0..<count).map { _ in Float(random.uniform() + random.uniform() - 1) }
      block = ByteView(
        copying: Matrix(rows: 1, columns: count, values)
          .storedBytes(as: type.scalarType ?? .float16))
    case .int8, .int32:
      block = ByteView(
        copying: (0..<Self.blockBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
  }

  /// A buffer full of them.
  func buffer(_ byteCount: Int, on device: CUDADevice) throws(CUDAError) -> DeviceBuffer {
    let buffer = try DeviceBuffer(byteCount: byteCount, on: device)
    for offset in stride(from: 0, to: byteCount, by: block.count) {
      let count = min(block.count, byteCount - offset)
      try buffer.write(block[0..<count], at: offset)
    }
    return buffer
  }

  private static let blockBytes = 1 << 16
}

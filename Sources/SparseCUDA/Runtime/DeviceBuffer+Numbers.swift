internal import SparseCore

extension DeviceBuffer {
  /// The first bytes.
  func bytes(_ count: Int) throws(CUDAError) -> [UInt8] {
    try values(0..<count, of: UInt8.self)
  }

  /// The numbers of a range in a buffer full of a format, exactly.
  func numbers(_ range: Range<Int>, _ type: DeviceType) throws(CUDAError) -> [Double] {
    switch type {
    case .int8: return try values(range, of: Int8.self).map(Double.init)
    case .int32: return try values(range, of: Int32.self).map(Double.init)
    case .float16, .bfloat16:
      let bits = try values(range, of: UInt16.self)
      let bytes = ByteView(count: 2 * bits.count) { $0.copyBytes(from: bits.littleEndianBytes) }
      let stored = StoredMatrix(
        rows: 1, columns: bits.count, type: type.scalarType ?? .float16, bytes: bytes)
      return Matrix(stored).values.map(Double.init)
    }
  }

  private func values<Value: FixedWidthInteger>(
    _ range: Range<Int>, of type: Value.Type
  ) throws(CUDAError) -> [Value] {
    let size = MemoryLayout<Value>.size
    let address = UnsafeMutablePointer<Value>.allocate(capacity: range.count)
    defer { address.deallocate() }
    address.initialize(repeating: 0, count: range.count)
    let values = UnsafeMutableBufferPointer(start: address, count: range.count)
    try read(into: UnsafeMutableRawBufferPointer(values), at: range.lowerBound * size)
    return Array(values)
  }
}

extension [UInt16] {
  fileprivate var littleEndianBytes: [UInt8] {
    flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
  }
}

public import SparseCore

/// Bytes in a GPU's memory, given back with their owner.
public struct DeviceBuffer: ~Copyable {
  /// Where they are, for the GPU; aligned to 256 bytes.
  let address: UnsafeMutableRawPointer
  /// The number of bytes.
  public let byteCount: Int
  private let device: CUDADevice

  /// Memory of no known content.
  ///
  /// - Throws: ``CUDAError``, where the memory is full above all.
  public init(byteCount: Int, on device: CUDADevice) throws(CUDAError) {
    precondition(byteCount >= 0, "DeviceBuffer: \(byteCount) bytes")
    var address: UnsafeMutableRawPointer?
    try device.runtime.check("cudaMalloc", device.runtime.allocate(&address, max(byteCount, 256)))
    guard let address else {
      throw .callFailed(call: "cudaMalloc", status: 0, name: "cudaSuccess", message: "no address")
    }
    self.address = address
    self.byteCount = byteCount
    self.device = device
  }

  /// A copy of bytes of the host.
  public init(copying bytes: ByteView, on device: CUDADevice) throws(CUDAError) {
    let buffer = try DeviceBuffer(byteCount: bytes.count, on: device)
    try buffer.write(bytes, at: 0)
    self = buffer
  }

  deinit { _ = device.runtime.free(address) }

  /// Copies bytes of the host to `offset`.
  public func write(_ bytes: ByteView, at offset: Int) throws(CUDAError) {
    precondition(
      offset >= 0 && offset + bytes.count <= byteCount,
      "DeviceBuffer: \(bytes.count) bytes at \(offset) of \(byteCount)")
    if bytes.count == 0 { return }
    let status = bytes.withUnsafeBytes { bytes in
      device.runtime.copy(address + offset, bytes.start, bytes.count, Self.toDevice)
    }
    try device.runtime.check("cudaMemcpy", status)
  }

  /// Makes all bytes 0.
  public func clear() throws(CUDAError) {
    try device.runtime.check("cudaMemset", device.runtime.fill(address, 0, byteCount))
  }

  /// Copies the bytes from `offset` on to the host, as many as fit, once all that was started is done.
  public func read(
    into bytes: UnsafeMutableRawBufferPointer, at offset: Int = 0
  ) throws(CUDAError) {
    precondition(
      offset >= 0 && offset + bytes.count <= byteCount,
      "DeviceBuffer: \(bytes.count) bytes at \(offset) of \(byteCount)")
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    try device.runtime.check(
      "cudaMemcpy", device.runtime.copy(start, address + offset, bytes.count, Self.toHost))
  }

  /// Starts to copy another buffer to `offset`.
  func copy(_ other: borrowing DeviceBuffer, to offset: Int = 0) throws(CUDAError) {
    precondition(
      offset >= 0 && offset + other.byteCount <= byteCount,
      "DeviceBuffer: \(other.byteCount) bytes at \(offset) of \(byteCount)")
    try device.runtime.check(
      "cudaMemcpy",
      device.runtime.copy(address + offset, other.address, other.byteCount, Self.withinDevice))
  }

  /// The numbers that `cudaMemcpyKind` has.
  private static let toDevice: Int32 = 1
  private static let toHost: Int32 = 2
  private static let withinDevice: Int32 = 3
}

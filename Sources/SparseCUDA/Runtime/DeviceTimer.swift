/// The GPU's own clock: the time between two events on its default stream.
struct DeviceTimer: ~Copyable {
  private let start: DeviceEvent
  private let end: DeviceEvent
  private let runtime: CUDARuntime

  init(on device: CUDADevice) throws(CUDAError) {
    let start = try DeviceEvent(device.runtime)
    let end = try DeviceEvent(device.runtime)
    self.start = start
    self.end = end
    runtime = device.runtime
  }

  /// The seconds that what `body` starts takes on the GPU.
  func seconds(_ body: () throws(CUDAError) -> Void) throws(CUDAError) -> Double {
    try runtime.check("cudaEventRecord", runtime.recordEvent(start.handle, nil))
    try body()
    try runtime.check("cudaEventRecord", runtime.recordEvent(end.handle, nil))
    try runtime.check("cudaEventSynchronize", runtime.synchronizeEvent(end.handle))
    var milliseconds: Float = 0
    try runtime.check(
      "cudaEventElapsedTime",
      runtime.elapsedMilliseconds(&milliseconds, start.handle, end.handle))
    return Double(milliseconds) * 1e-3
  }
}

/// A mark on a stream.
struct DeviceEvent: ~Copyable {
  let handle: UnsafeMutableRawPointer
  private let runtime: CUDARuntime

  init(_ runtime: CUDARuntime) throws(CUDAError) {
    var handle: UnsafeMutableRawPointer?
    try runtime.check("cudaEventCreate", runtime.createEvent(&handle))
    guard let handle else {
      throw .callFailed(
        call: "cudaEventCreate", status: 0, name: "cudaSuccess", message: "no event")
    }
    self.handle = handle
    self.runtime = runtime
  }

  deinit { _ = runtime.destroyEvent(handle) }
}

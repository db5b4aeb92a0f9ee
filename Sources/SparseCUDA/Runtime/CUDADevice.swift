/// A GPU, for the thread that made this: where a thread makes a second one, all its calls go to that.
public final class CUDADevice {
  /// What makes it run.
  public let runtime: CUDARuntime
  /// Its number, from 0.
  public let index: Int
  /// Such as "NVIDIA H100 80GB HBM3".
  public let name: String
  /// Its generation.
  public let capability: ComputeCapability
  /// All of its memory in bytes.
  public let memoryBytes: Int
  /// Its second-level cache in bytes.
  public let cacheBytes: Int

  /// Makes a GPU the one that this thread's calls go to.
  ///
  /// - Throws: ``CUDAError`` for a number that no GPU has, and for calls that fail.
  public init(_ index: Int = 0, of runtime: CUDARuntime) throws(CUDAError) {
    let count = try runtime.devices
    if count == 0 { throw .noDevice }
    guard (0..<count).contains(index) else { throw .noSuchDevice(index: index, count: count) }
    func attribute(_ number: Int32) throws(CUDAError) -> Int {
      var value: Int32 = 0
      try runtime.check("cudaDeviceGetAttribute", runtime.attribute(&value, number, Int32(index)))
      return Int(value)
    }
    self.runtime = runtime
    self.index = index
    try runtime.check("cudaSetDevice", runtime.setDevice(Int32(index)))
    name = try Self.name(index, runtime)
    capability = try ComputeCapability(attribute(75), attribute(76))
    cacheBytes = try attribute(38)
    var (free, total) = (0, 0)
    try runtime.check("cudaMemGetInfo", runtime.memory(&free, &total))
    memoryBytes = total
  }

  /// Waits until all that was started on a stream is done.
  ///
  /// - Throws: ``CUDAError``, also for what failed on the way.
  public func synchronize() throws(CUDAError) {
    try runtime.check("cudaStreamSynchronize", runtime.synchronizeStream(nil))
  }

  /// The name is the start of a structure that has grown with every version: there is room for larger ones.
  private static func name(_ index: Int, _ runtime: CUDARuntime) throws(CUDAError) -> String {
    let properties = OpaqueStorage()
    try runtime.check(
      "cudaGetDeviceProperties", runtime.properties(properties.address, Int32(index)))
    let bytes = UnsafeRawBufferPointer(start: properties.address, count: 256)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

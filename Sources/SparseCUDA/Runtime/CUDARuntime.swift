/// The CUDA runtime: its functions, and what its statuses mean.
public final class CUDARuntime: Sendable {
  typealias Pointer = UnsafeMutableRawPointer
  typealias Out<Value> = UnsafeMutablePointer<Value>

  /// The file that it was opened from.
  public let path: String
  /// The version of the library: 12080 is 12.8.
  public let version: Int
  /// The newest version that the driver can run; 0 where there is no driver.
  public let driverVersion: Int
  /// The release of the driver, such as "550.54.15"; nil where the system does not say.
  public var driverRelease: String? { SparseCUDA.driverRelease() }

  let deviceCount: @convention(c) @Sendable (Out<Int32>) -> Int32
  let setDevice: @convention(c) @Sendable (Int32) -> Int32
  let attribute: @convention(c) @Sendable (Out<Int32>, Int32, Int32) -> Int32
  let properties: @convention(c) @Sendable (Pointer, Int32) -> Int32
  let memory: @convention(c) @Sendable (Out<Int>, Out<Int>) -> Int32
  let allocate: @convention(c) @Sendable (Out<Pointer?>, Int) -> Int32
  let free: @convention(c) @Sendable (Pointer?) -> Int32
  let copy: @convention(c) @Sendable (Pointer, UnsafeRawPointer, Int, Int32) -> Int32
  let fill: @convention(c) @Sendable (Pointer, Int32, Int) -> Int32
  let synchronizeStream: @convention(c) @Sendable (Pointer?) -> Int32
  let createEvent: @convention(c) @Sendable (Out<Pointer?>) -> Int32
  let destroyEvent: @convention(c) @Sendable (Pointer) -> Int32
  let recordEvent: @convention(c) @Sendable (Pointer, Pointer?) -> Int32
  let synchronizeEvent: @convention(c) @Sendable (Pointer) -> Int32
  let elapsedMilliseconds: @convention(c) @Sendable (Out<Float>, Pointer, Pointer) -> Int32
  private let errorName: @convention(c) @Sendable (Int32) -> UnsafePointer<CChar>?
  private let errorString: @convention(c) @Sendable (Int32) -> UnsafePointer<CChar>?

  /// Opens the runtime.
  ///
  /// - Throws: ``CUDAError`` where there is none, or one that lacks a function.
  public convenience init(_ search: LibrarySearch) throws(CUDAError) {
    let library = try DynamicLibrary.open(.runtime, in: search)
    try self.init(library)
  }

  private init(_ library: DynamicLibrary) throws(CUDAError) {
    path = library.path
    deviceCount = try library.function("cudaGetDeviceCount")
    setDevice = try library.function("cudaSetDevice")
    attribute = try library.function("cudaDeviceGetAttribute")
    // CUDA 12 keeps the older one beside it; both begin with the name, which is all that is read.
    if let newest: @convention(c) @Sendable (Pointer, Int32) -> Int32 =
      library.optionalFunction("cudaGetDeviceProperties_v2")
    {
      properties = newest
    } else {
      properties = try library.function("cudaGetDeviceProperties")
    }
    memory = try library.function("cudaMemGetInfo")
    allocate = try library.function("cudaMalloc")
    free = try library.function("cudaFree")
    copy = try library.function("cudaMemcpy")
    fill = try library.function("cudaMemset")
    synchronizeStream = try library.function("cudaStreamSynchronize")
    createEvent = try library.function("cudaEventCreate")
    destroyEvent = try library.function("cudaEventDestroy")
    recordEvent = try library.function("cudaEventRecord")
    synchronizeEvent = try library.function("cudaEventSynchronize")
    elapsedMilliseconds = try library.function("cudaEventElapsedTime")
    errorName = try library.function("cudaGetErrorName")
    errorString = try library.function("cudaGetErrorString")
    let ownVersion: @convention(c) (Out<Int32>) -> Int32 =
      try library.function("cudaRuntimeGetVersion")
    let driverVersion: @convention(c) (Out<Int32>) -> Int32 =
      try library.function("cudaDriverGetVersion")
    var (own, driver): (Int32, Int32) = (0, 0)
    let status = ownVersion(&own)
    version = Int(own)
    self.driverVersion = driverVersion(&driver) == 0 ? Int(driver) : 0
    try check("cudaRuntimeGetVersion", status)
  }

  /// The number of GPUs that the driver can use.
  ///
  /// - Throws: ``CUDAError/callFailed(call:status:name:message:)``, such as for a driver that is missing
  ///   or too old.
  public var devices: Int {
    get throws(CUDAError) {
      var count: Int32 = 0
      let status = deviceCount(&count)
      if status == Self.noDevice { return 0 }
      if status == Self.insufficientDriver {
        throw .driverTooOld(
          path: path, needed: Self.text(ofVersion: version),
          driver: driverVersion > 0 ? Self.text(ofVersion: driverVersion) : nil)
      }
      try check("cudaGetDeviceCount", status)
      return Int(count)
    }
  }

  /// The status `cudaErrorInsufficientDriver`.
  private static let insufficientDriver: Int32 = 35
  /// The status `cudaErrorNoDevice`.
  private static let noDevice: Int32 = 100

  func check(_ call: String, _ status: Int32) throws(CUDAError) {
    guard status != 0 else { return }
    throw .callFailed(
      call: call, status: Int(status),
      name: errorName(status).map(String.init(cString:)) ?? "error",
      message: errorString(status).map(String.init(cString:)) ?? "unknown")
  }

  /// A version as NVIDIA writes it: 12080 is "12.8".
  public static func text(ofVersion version: Int) -> String {
    "\(version / 1000).\(version % 1000 / 10)"
  }
}

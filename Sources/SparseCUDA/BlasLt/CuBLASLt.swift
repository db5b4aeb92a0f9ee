/// cuBLASLt: its functions, and what its statuses mean.
public final class CuBLASLt: Sendable {
  typealias Pointer = UnsafeMutableRawPointer
  typealias Input = UnsafeRawPointer
  typealias Out<Value> = UnsafeMutablePointer<Value>

  /// The file that it was opened from.
  public let path: String
  /// The version as the library tells it: 120804 is 12.8.4.
  public let version: Int

  let create: @convention(c) @Sendable (Out<Pointer?>) -> Int32
  let destroy: @convention(c) @Sendable (Pointer) -> Int32
  let createMatmul: @convention(c) @Sendable (Out<Pointer?>, Int32, Int32) -> Int32
  let destroyMatmul: @convention(c) @Sendable (Pointer) -> Int32
  let setMatmul: @convention(c) @Sendable (Pointer, Int32, Input, Int) -> Int32
  let createLayout: @convention(c) @Sendable (Out<Pointer?>, Int32, UInt64, UInt64, Int64) -> Int32
  let destroyLayout: @convention(c) @Sendable (Pointer) -> Int32
  let createPreference: @convention(c) @Sendable (Out<Pointer?>) -> Int32
  let destroyPreference: @convention(c) @Sendable (Pointer) -> Int32
  let setPreference: @convention(c) @Sendable (Pointer, Int32, Input, Int) -> Int32
  let proposals:
    @convention(c) @Sendable (
      Pointer, Pointer, Pointer, Pointer, Pointer, Pointer, Pointer, Int32, Pointer, Out<Int32>
    ) -> Int32
  let multiply:
    @convention(c) @Sendable (
      Pointer, Pointer, Input, Input, Pointer, Input, Pointer, Input, Input, Pointer, Pointer,
      Pointer, Input, Pointer?, Int, Pointer?
    ) -> Int32
  private let statusName: @convention(c) @Sendable (Int32) -> UnsafePointer<CChar>?
  private let statusString: @convention(c) @Sendable (Int32) -> UnsafePointer<CChar>?

  /// Opens the library.
  ///
  /// - Throws: ``CUDAError`` where there is none, or one that lacks a function.
  public init(_ search: LibrarySearch) throws(CUDAError) {
    let library = try DynamicLibrary.open(.blasLt, in: search)
    path = library.path
    create = try library.function("cublasLtCreate")
    destroy = try library.function("cublasLtDestroy")
    createMatmul = try library.function("cublasLtMatmulDescCreate")
    destroyMatmul = try library.function("cublasLtMatmulDescDestroy")
    setMatmul = try library.function("cublasLtMatmulDescSetAttribute")
    createLayout = try library.function("cublasLtMatrixLayoutCreate")
    destroyLayout = try library.function("cublasLtMatrixLayoutDestroy")
    createPreference = try library.function("cublasLtMatmulPreferenceCreate")
    destroyPreference = try library.function("cublasLtMatmulPreferenceDestroy")
    setPreference = try library.function("cublasLtMatmulPreferenceSetAttribute")
    proposals = try library.function("cublasLtMatmulAlgoGetHeuristic")
    multiply = try library.function("cublasLtMatmul")
    statusName = try library.function("cublasLtGetStatusName")
    statusString = try library.function("cublasLtGetStatusString")
    let getVersion: @convention(c) () -> Int = try library.function("cublasLtGetVersion")
    version = getVersion()
  }

  func check(_ call: String, _ status: Int32) throws(CUDAError) {
    guard status != 0 else { return }
    throw .callFailed(
      call: call, status: Int(status),
      name: statusName(status).map(String.init(cString:)) ?? "error",
      message: statusString(status).map(String.init(cString:)) ?? "unknown")
  }

  /// The status `CUBLAS_STATUS_NOT_SUPPORTED`: what is asked for is right, but has no kernel.
  static let notSupported = 15

  /// Such as "12.8.4".
  public var versionText: String {
    "\(version / 10_000).\(version / 100 % 100).\(version % 100)"
  }
}

/// cuSPARSELt: its functions, and what its statuses mean.
///
/// Signatures are those of versions 0.6.2 to 0.10.0, which are the same.
public final class CuSPARSELt: Sendable {
  typealias Pointer = UnsafeMutableRawPointer
  typealias Input = UnsafeRawPointer
  typealias Out<Value> = UnsafeMutablePointer<Value>

  /// The file that it was opened from.
  public let path: String
  /// Such as "0.8.1".
  public let version: String

  let initialize: @convention(c) @Sendable (Pointer) -> Int32
  let destroy: @convention(c) @Sendable (Pointer) -> Int32
  let initializeDense:
    @convention(c) @Sendable (Pointer, Pointer, Int64, Int64, Int64, UInt32, Int32, Int32) -> Int32
  let initializeStructured:
    @convention(c) @Sendable (
      Pointer, Pointer, Int64, Int64, Int64, UInt32, Int32, Int32, Int32
    ) -> Int32
  let destroyMatrix: @convention(c) @Sendable (Pointer) -> Int32
  let initializeMatmul:
    @convention(c) @Sendable (
      Pointer, Pointer, Int32, Int32, Pointer, Pointer, Pointer, Pointer, Int32
    ) -> Int32
  let initializeAlgorithm: @convention(c) @Sendable (Pointer, Pointer, Pointer, Int32) -> Int32
  let setAlgorithm: @convention(c) @Sendable (Pointer, Pointer, Int32, Input, Int) -> Int32
  let getAlgorithm: @convention(c) @Sendable (Pointer, Pointer, Int32, Pointer, Int) -> Int32
  /// From 0.8.0 on.
  let destroyAlgorithm: (@convention(c) @Sendable (Pointer) -> Int32)?
  let initializePlan: @convention(c) @Sendable (Pointer, Pointer, Pointer, Pointer) -> Int32
  let destroyPlan: @convention(c) @Sendable (Pointer) -> Int32
  let workspace: @convention(c) @Sendable (Pointer, Pointer, Out<Int>) -> Int32
  let multiply:
    @convention(c) @Sendable (
      Pointer, Pointer, Input, Input, Input, Input, Input, Pointer, Pointer?, Pointer?, Int32
    ) -> Int32
  let search:
    @convention(c) @Sendable (
      Pointer, Pointer, Input, Input, Input, Input, Input, Pointer, Pointer?, Pointer?, Int32
    ) -> Int32
  let prune:
    @convention(c) @Sendable (
      Pointer, Pointer, Int32, Int32, Input, Pointer, Int32, Pointer?
    ) -> Int32
  let checkPruned:
    @convention(c) @Sendable (Pointer, Pointer, Int32, Int32, Input, Pointer, Pointer?) -> Int32
  let compressedSize: @convention(c) @Sendable (Pointer, Pointer, Out<Int>, Out<Int>) -> Int32
  let compress:
    @convention(c) @Sendable (
      Pointer, Pointer, Int32, Int32, Input, Pointer, Pointer?, Pointer?
    ) -> Int32
  /// From 0.7.1 on.
  private let errorName: (@convention(c) @Sendable (Int32) -> UnsafePointer<CChar>?)?
  private let errorString: (@convention(c) @Sendable (Int32) -> UnsafePointer<CChar>?)?

  /// Opens the library.
  ///
  /// - Throws: ``CUDAError`` where there is none, or one that lacks a function.
  public init(_ search: LibrarySearch) throws(CUDAError) {
    let library = try DynamicLibrary.open(.sparseLt, in: search)
    path = library.path
    initialize = try library.function("cusparseLtInit")
    destroy = try library.function("cusparseLtDestroy")
    initializeDense = try library.function("cusparseLtDenseDescriptorInit")
    initializeStructured = try library.function("cusparseLtStructuredDescriptorInit")
    destroyMatrix = try library.function("cusparseLtMatDescriptorDestroy")
    initializeMatmul = try library.function("cusparseLtMatmulDescriptorInit")
    initializeAlgorithm = try library.function("cusparseLtMatmulAlgSelectionInit")
    setAlgorithm = try library.function("cusparseLtMatmulAlgSetAttribute")
    getAlgorithm = try library.function("cusparseLtMatmulAlgGetAttribute")
    destroyAlgorithm = library.optionalFunction("cusparseLtMatmulAlgSelectionDestroy")
    initializePlan = try library.function("cusparseLtMatmulPlanInit")
    destroyPlan = try library.function("cusparseLtMatmulPlanDestroy")
    workspace = try library.function("cusparseLtMatmulGetWorkspace")
    multiply = try library.function("cusparseLtMatmul")
    self.search = try library.function("cusparseLtMatmulSearch")
    prune = try library.function("cusparseLtSpMMAPrune2")
    checkPruned = try library.function("cusparseLtSpMMAPruneCheck2")
    compressedSize = try library.function("cusparseLtSpMMACompressedSize2")
    compress = try library.function("cusparseLtSpMMACompress2")
    errorName = library.optionalFunction("cusparseLtGetErrorName")
    errorString = library.optionalFunction("cusparseLtGetErrorString")
    // cusparseLtGetVersion needs a GPU, and its number changed its meaning with 0.10.
    let property: @convention(c) (Int32, Out<Int32>) -> Int32 =
      try library.function("cusparseLtGetProperty")
    let parts = (Int32(0)..<3).map { part in
      var value: Int32 = 0
      return property(part, &value) == 0 ? "\(value)" : "?"
    }
    version = parts.joined(separator: ".")
  }

  func check(_ call: String, _ status: Int32) throws(CUDAError) {
    guard status != 0 else { return }
    let known = Self.statuses.indices.contains(Int(status)) ? Self.statuses[Int(status)] : nil
    throw .callFailed(
      call: call, status: Int(status),
      name: errorName?(status).map(String.init(cString:)) ?? known?.name ?? "error",
      message: errorString?(status).map(String.init(cString:)) ?? known?.message ?? "unknown")
  }

  /// `CUSPARSE_STATUS_NOT_SUPPORTED`: what is asked for is right, but has no kernel.
  static let notSupported = 10

  /// `cusparseStatus_t`, for versions that cannot tell themselves.
  private static let statuses: [(name: String, message: String)] = [
    ("CUSPARSE_STATUS_SUCCESS", "success"),
    ("CUSPARSE_STATUS_NOT_INITIALIZED", "the library or a driver is not initialized"),
    ("CUSPARSE_STATUS_ALLOC_FAILED", "memory ran out"),
    ("CUSPARSE_STATUS_INVALID_VALUE", "an argument is invalid"),
    ("CUSPARSE_STATUS_ARCH_MISMATCH", "this GPU's architecture is not supported"),
    ("CUSPARSE_STATUS_MAPPING_ERROR", "memory could not be mapped"),
    ("CUSPARSE_STATUS_EXECUTION_FAILED", "the GPU program failed"),
    ("CUSPARSE_STATUS_INTERNAL_ERROR", "an internal operation failed"),
    ("CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED", "the matrix type is not supported"),
    ("CUSPARSE_STATUS_ZERO_PIVOT", "a pivot is zero"),
    ("CUSPARSE_STATUS_NOT_SUPPORTED", "the operation is not supported"),
    ("CUSPARSE_STATUS_INSUFFICIENT_RESOURCES", "there are too few resources"),
  ]
}

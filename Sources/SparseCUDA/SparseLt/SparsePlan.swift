/// A product that is ready to run: made once for a shape, used for any weights and activations of it.
///
/// Making a plan takes far longer than running it; a program that makes one for each product loses
/// all that 2:4 gains.
///
/// ```swift
/// let shape = try SparseShape(outputs: 4096, inputs: 4096, type: .int8)
/// let plan = try SparsePlan(SparseProduct(shape, rows: 16), session)
/// try plan.multiply(x, weight, into: y)
/// ```
public struct SparsePlan: ~Copyable {
  /// The sizes and types.
  public let product: SparseProduct
  private let session: SparseLtSession
  private let storage: OpaqueStorage
  // What the library keeps pointers to.
  private let matmul: MatmulDescriptor
  private let selection: AlgorithmSelection
  private let workspace: DeviceBuffer

  /// A plan for a product.
  ///
  /// - Parameter algorithm: the kernel to use; nil for the library's default.
  /// - Throws: ``CUDAError``, with status 10 for a kernel that does not do this product.
  public init(
    _ product: SparseProduct, algorithm: AlgorithmChoice? = nil, _ session: SparseLtSession
  ) throws(CUDAError) {
    let library = session.library
    let matmul = try MatmulDescriptor(product, session)
    let selection = try AlgorithmSelection(matmul, session)
    if let algorithm { try selection.select(algorithm) }
    let storage = OpaqueStorage()
    try library.check(
      "cusparseLtMatmulPlanInit",
      library.initializePlan(
        session.handle.address, storage.address, matmul.address, selection.address))
    let workspace: DeviceBuffer
    do throws(CUDAError) {
      var byteCount = 0
      try library.check(
        "cusparseLtMatmulGetWorkspace",
        library.workspace(session.handle.address, storage.address, &byteCount))
      workspace = try DeviceBuffer(byteCount: byteCount, on: session.device)
    } catch {
      _ = library.destroyPlan(storage.address)
      throw error
    }
    self.product = product
    self.session = session
    self.storage = storage
    self.matmul = matmul
    self.selection = selection
    self.workspace = workspace
  }

  deinit { _ = session.library.destroyPlan(storage.address) }

  /// The kernel that is used.
  public var algorithm: AlgorithmChoice {
    get throws(CUDAError) { try selection.choice }
  }

  /// How many kernels the library has for the product: their numbers count from 0.
  var configurations: Int {
    get throws(CUDAError) { try selection[.configurationCount] }
  }

  /// Starts `y = scale · x · weightᵀ`; reading `y` waits for it.
  ///
  /// - Parameters:
  ///   - x: `paddedRows × inputs`, row-major; what rows beyond `rows` hold does not matter.
  ///   - y: `paddedRows × outputs`, row-major. INT8 is rounded to the nearest and ends at −128 and 127, and what
  ///     float16 cannot hold is infinite: INT8 products need a scale for both.
  public func multiply(
    _ x: borrowing DeviceBuffer, _ weight: borrowing SparseWeight, into y: borrowing DeviceBuffer,
    scale: Float = 1
  ) throws(CUDAError) {
    precondition(
      weight.shape == product.weight,
      "SparsePlan: a plan for \(product.weight) got a weight of \(weight.shape)")
    try multiply(x, weight.blob.address, into: y, scale: scale)
  }

  /// The same with a weight's bytes at an address.
  func multiply(
    _ x: borrowing DeviceBuffer, _ weight: UnsafeRawPointer, into y: borrowing DeviceBuffer,
    scale: Float
  ) throws(CUDAError) {
    try run(
      "cusparseLtMatmul", session.library.multiply, x, weight, y, scale, in: workspace.address)
  }

  /// Lets the library try its kernels with these operands, and tells the one that it finds best.
  ///
  /// It writes to `y`. The plan has no room for what that kernel may need: it is of no further use.
  consuming func search(
    _ x: borrowing DeviceBuffer, _ weight: UnsafeRawPointer, into y: borrowing DeviceBuffer
  ) throws(CUDAError) -> AlgorithmChoice {
    try run("cusparseLtMatmulSearch", session.library.search, x, weight, y, 1, in: nil)
    return try algorithm
  }

  private typealias Multiply =
    @convention(c) (
      UnsafeMutableRawPointer, UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeRawPointer,
      UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeMutableRawPointer,
      UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32
    ) -> Int32

  private func run(
    _ call: String, _ multiply: Multiply, _ x: borrowing DeviceBuffer, _ weight: UnsafeRawPointer,
    _ y: borrowing DeviceBuffer, _ scale: Float, in workspace: UnsafeMutableRawPointer?
  ) throws(CUDAError) {
    precondition(
      x.byteCount >= product.inputBytes && y.byteCount >= product.outputBytes,
      "SparsePlan: \(x.byteCount) and \(y.byteCount) bytes for \(product)")
    var (alpha, beta): (Float, Float) = (scale, 0)
    try session.library.check(
      call,
      multiply(
        session.handle.address, storage.address, &alpha, weight, x.address, &beta, y.address,
        y.address, workspace, nil, 0))
  }
}

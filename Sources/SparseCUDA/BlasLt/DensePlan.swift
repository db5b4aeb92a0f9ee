/// A dense product that is ready to run, with one of the kernels that cuBLASLt proposes for it.
public struct DensePlan: ~Copyable {
  /// The sizes and types.
  public let product: DenseProduct
  /// The numbers of the kernels that the library proposed, the one that it expects most of first.
  public let proposals: [Int]
  private let session: BlasLtSession
  private let matmul: BlasLtObject
  private let weight: BlasLtObject
  private let input: BlasLtObject
  private let output: BlasLtObject
  private let kernels: OpaqueStorage
  private let workspace: DeviceBuffer
  private var chosen: Int

  /// A plan with the kernel that the library expects most of.
  ///
  /// - Throws: ``CUDAError``, with status 15 where there is none.
  public init(_ product: DenseProduct, _ session: BlasLtSession) throws(CUDAError) {
    let library = session.library
    let isInt8 = product.type == .int8
    let matmul = try BlasLtObject(
      "cublasLtMatmulDescCreate", library, destroy: library.destroyMatmul
    ) {
      library.createMatmul(
        $0, isInt8 ? Self.int32Sums : Self.float32Sums,
        product.result == .int32 ? DeviceType.int32.code : Self.float32)
    }
    // Column by column a row-major weight is its transpose, and so is the result: (x · wᵀ)ᵀ = w · xᵀ.
    var operation = MatrixOperation.transposed.rawValue
    try library.check(
      "cublasLtMatmulDescSetAttribute",
      library.setMatmul(
        matmul.address, Self.firstOperation, &operation, MemoryLayout<Int32>.size))
    func layout(
      _ rows: Int, _ columns: Int, _ type: DeviceType
    ) throws(CUDAError) -> BlasLtObject {
      try BlasLtObject(
        "cublasLtMatrixLayoutCreate", library, destroy: library.destroyLayout
      ) { library.createLayout($0, type.code, UInt64(rows), UInt64(columns), Int64(rows)) }
    }
    let weight = try layout(product.inputs, product.outputs, product.type)
    let input = try layout(product.inputs, product.paddedRows, product.type)
    let output = try layout(product.outputs, product.paddedRows, product.result)
    let preference = try BlasLtObject(
      "cublasLtMatmulPreferenceCreate", library, destroy: library.destroyPreference
    ) { library.createPreference($0) }
    var workspaceBytes = UInt64(Self.workspaceBytes)
    try library.check(
      "cublasLtMatmulPreferenceSetAttribute",
      library.setPreference(preference.address, Self.maximalWorkspace, &workspaceBytes, 8))
    let kernels = OpaqueStorage()
    var found: Int32 = 0
    try library.check(
      "cublasLtMatmulAlgoGetHeuristic",
      library.proposals(
        session.handle.address, matmul.address, weight.address, input.address, output.address,
        output.address, preference.address, Int32(Self.mostProposals), kernels.address, &found))
    let sound = (0..<Int(found)).filter {
      kernels.address.load(
        fromByteOffset: $0 * Self.proposalBytes + Self.stateOffset, as: Int32.self) == 0
    }
    guard !sound.isEmpty else {
      throw .callFailed(
        call: "cublasLtMatmulAlgoGetHeuristic", status: CuBLASLt.notSupported,
        name: "CUBLAS_STATUS_NOT_SUPPORTED",
        message: "no kernel for \(product)")
    }
    let workspace = try DeviceBuffer(byteCount: Self.workspaceBytes, on: session.device)
    self.product = product
    self.session = session
    self.matmul = matmul
    self.weight = weight
    self.input = input
    self.output = output
    self.kernels = kernels
    self.workspace = workspace
    proposals = sound
    chosen = sound[0]
  }

  /// Takes another of the kernels that were proposed.
  public mutating func choose(_ proposal: Int) {
    precondition(
      proposals.contains(proposal), "DensePlan: kernel \(proposal) is not in \(proposals)")
    chosen = proposal
  }

  /// Starts `y = scale · x · weightᵀ`; reading `y` waits for it.
  ///
  /// - Parameters:
  ///   - x: `paddedRows × inputs`, row-major.
  ///   - weight: `outputs × inputs`, row-major.
  ///   - y: `paddedRows × outputs`, row-major.
  ///   - scale: 1 for INT32.
  public func multiply(
    _ x: borrowing DeviceBuffer, _ weight: borrowing DeviceBuffer, into y: borrowing DeviceBuffer,
    scale: Float = 1
  ) throws(CUDAError) {
    precondition(
      weight.byteCount >= product.weightBytes, "DensePlan: \(weight.byteCount) for \(product)")
    try multiply(x, weight.address, into: y, scale: scale)
  }

  /// The same with a weight at an address.
  func multiply(
    _ x: borrowing DeviceBuffer, _ weight: UnsafeRawPointer, into y: borrowing DeviceBuffer,
    scale: Float
  ) throws(CUDAError) {
    precondition(
      x.byteCount >= product.inputBytes && y.byteCount >= product.outputBytes,
      "DensePlan: \(x.byteCount) and \(y.byteCount) bytes for \(product)")
    // Scale and zero in the type that belongs to the result.
    let isInteger = product.result == .int32
    precondition(!isInteger || scale == 1, "DensePlan: INT32 with a scale of \(scale)")
    var alpha = isInteger ? Int32(1) : Int32(bitPattern: scale.bitPattern)
    var beta = Int32(0)
    try session.library.check(
      "cublasLtMatmul",
      session.library.multiply(
        session.handle.address, matmul.address, &alpha, weight, self.weight.address, x.address,
        input.address, &beta, y.address, output.address, y.address, output.address,
        kernels.address + chosen * Self.proposalBytes, workspace.address, workspace.byteCount, nil))
  }

  /// `CUDA_R_32F`, the type of the factors.
  private static let float32: Int32 = 0
  /// The types of sums, `CUBLAS_COMPUTE_32F` and `CUBLAS_COMPUTE_32I`.
  private static let float32Sums: Int32 = 68
  private static let int32Sums: Int32 = 72
  /// The attribute `CUBLASLT_MATMUL_DESC_TRANSA`.
  private static let firstOperation: Int32 = 3
  /// The attribute `CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES`.
  private static let maximalWorkspace: Int32 = 1
  /// What NVIDIA recommends for GPUs from Hopper on.
  private static let workspaceBytes = 32 << 20
  private static let mostProposals = 8
  /// The size of `cublasLtMatmulHeuristicResult_t`, which begins with the kernel; all of them fit.
  private static let proposalBytes = 96
  /// Where that structure says whether its kernel can be used: behind the kernel and its workspace.
  private static let stateOffset = 72
}

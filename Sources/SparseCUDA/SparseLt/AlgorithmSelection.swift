/// Which of its kernels cuSPARSELt is to use for a product.
struct AlgorithmSelection: ~Copyable {
  private let session: SparseLtSession
  private let storage: OpaqueStorage

  /// The library's default.
  init(
    _ matmul: borrowing MatmulDescriptor, _ session: SparseLtSession
  ) throws(CUDAError) {
    let storage = OpaqueStorage()
    try session.library.check(
      "cusparseLtMatmulAlgSelectionInit",
      session.library.initializeAlgorithm(
        session.handle.address, storage.address, matmul.address, Self.standard))
    self.session = session
    self.storage = storage
  }

  deinit { _ = session.library.destroyAlgorithm?(storage.address) }

  var address: UnsafeMutableRawPointer { storage.address }

  subscript(attribute: AlgorithmAttribute) -> Int {
    get throws(CUDAError) {
      var value: Int32 = 0
      try session.library.check(
        "cusparseLtMatmulAlgGetAttribute",
        session.library.getAlgorithm(
          session.handle.address, storage.address, attribute.rawValue, &value,
          MemoryLayout<Int32>.size))
      return Int(value)
    }
  }

  func set(_ attribute: AlgorithmAttribute, _ value: Int) throws(CUDAError) {
    var value = Int32(clamping: value)
    try session.library.check(
      "cusparseLtMatmulAlgSetAttribute",
      session.library.setAlgorithm(
        session.handle.address, storage.address, attribute.rawValue, &value,
        MemoryLayout<Int32>.size))
  }

  /// What is selected.
  var choice: AlgorithmChoice {
    get throws(CUDAError) {
      AlgorithmChoice(
        configuration: try self[.configuration], splits: try self[.splits],
        splitMode: try self[.splitMode])
    }
  }

  /// Selects a kernel; what is as it was is not set.
  func select(_ choice: AlgorithmChoice) throws(CUDAError) {
    let current = try self.choice
    try set(.configuration, choice.configuration)
    if choice.splits != current.splits { try set(.splits, choice.splits) }
    if choice.splitMode != current.splitMode { try set(.splitMode, choice.splitMode) }
  }

  /// The one algorithm, `CUSPARSELT_MATMUL_ALG_DEFAULT`.
  private static let standard: Int32 = 0
}

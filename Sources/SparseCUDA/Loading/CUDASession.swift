/// A GPU with the libraries that multiply on it, for the thread that made this.
///
/// ```swift
/// let cuda = try CUDASession(LibrarySearch { ProcessInfo.processInfo.environment[$0] })
/// let shape = try SparseShape(outputs: 4096, inputs: 4096, type: .int8)
/// let weight = try SparseWeight(compressed, shape: shape, layout: cuda.sparse.layout(), cuda.sparse)
/// let plan = try SparsePlan(SparseProduct(shape, rows: 16), cuda.sparse)
/// try plan.multiply(x, weight, into: y)
/// ```
public struct CUDASession {
  /// The GPU.
  public let device: CUDADevice
  /// Products with 2:4 weights.
  public let sparse: SparseLtSession
  private let search: LibrarySearch

  /// Opens the CUDA runtime and cuSPARSELt for a GPU.
  ///
  /// - Throws: ``CUDAError``, which names every place that was looked in.
  public init(_ search: LibrarySearch, device index: Int = 0) throws(CUDAError) {
    let runtime = try CUDARuntime(search)
    let library = try CuSPARSELt(search)
    device = try CUDADevice(index, of: runtime)
    sparse = try SparseLtSession(library, on: device)
    self.search = search
  }

  /// Opens cuBLASLt: products with dense weights.
  ///
  /// - Throws: ``CUDAError``.
  public func dense() throws(CUDAError) -> BlasLtSession {
    try BlasLtSession(CuBLASLt(search), on: device)
  }
}

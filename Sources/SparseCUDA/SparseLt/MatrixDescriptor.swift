/// What cuSPARSELt knows of a matrix but its values.
struct MatrixDescriptor: ~Copyable {
  private let session: SparseLtSession
  private let storage: OpaqueStorage

  /// A dense matrix of `rows × columns` without gaps.
  init(
    dense rows: Int, _ columns: Int, _ type: DeviceType, _ order: StorageOrder,
    _ session: SparseLtSession
  ) throws(CUDAError) {
    let storage = OpaqueStorage()
    let leading = order == .row ? columns : rows
    try session.library.check(
      "cusparseLtDenseDescriptorInit",
      session.library.initializeDense(
        session.handle.address, storage.address, Int64(rows), Int64(columns), Int64(leading),
        Self.alignment, type.code, order.rawValue))
    self.session = session
    self.storage = storage
  }

  /// A 2:4 weight, row-major.
  init(sparse shape: SparseShape, _ session: SparseLtSession) throws(CUDAError) {
    let storage = OpaqueStorage()
    try session.library.check(
      "cusparseLtStructuredDescriptorInit",
      session.library.initializeStructured(
        session.handle.address, storage.address, Int64(shape.outputs), Int64(shape.inputs),
        Int64(shape.inputs), Self.alignment, shape.type.code, StorageOrder.row.rawValue, Self.half))
    self.session = session
    self.storage = storage
  }

  deinit { _ = session.library.destroyMatrix(storage.address) }

  var address: UnsafeMutableRawPointer { storage.address }

  /// What addresses of values are multiples of.
  private static let alignment: UInt32 = 16
  /// The one sparsity, `CUSPARSELT_SPARSITY_50_PERCENT`.
  private static let half: Int32 = 0
}

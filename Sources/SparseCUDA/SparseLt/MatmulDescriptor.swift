/// A product `weight · xᵀ`, and the matrices it is of.
///
/// Both operands are row-major with the reduction dimension innermost, the one layout that all types have
/// kernels for; the result is column-major, which is the row-major `rows × outputs` of `x · weightᵀ`.
struct MatmulDescriptor: ~Copyable {
  private let session: SparseLtSession
  private let storage: OpaqueStorage
  // The library keeps pointers to them.
  private let weight: MatrixDescriptor
  private let input: MatrixDescriptor
  private let output: MatrixDescriptor

  init(_ shape: SparseProduct, _ session: SparseLtSession) throws(CUDAError) {
    let weight = try MatrixDescriptor(sparse: shape.weight, session)
    let input = try MatrixDescriptor(
      dense: shape.paddedRows, shape.weight.inputs, shape.weight.type, .row, session)
    let output = try MatrixDescriptor(
      dense: shape.weight.outputs, shape.paddedRows, shape.result, .column, session)
    let storage = OpaqueStorage()
    try session.library.check(
      "cusparseLtMatmulDescriptorInit",
      session.library.initializeMatmul(
        session.handle.address, storage.address, MatrixOperation.asIs.rawValue,
        MatrixOperation.transposed.rawValue, weight.address, input.address, output.address,
        output.address, SumType(of: shape.weight.type).rawValue))
    self.session = session
    self.storage = storage
    self.weight = weight
    self.input = input
    self.output = output
  }

  var address: UnsafeMutableRawPointer { storage.address }
}

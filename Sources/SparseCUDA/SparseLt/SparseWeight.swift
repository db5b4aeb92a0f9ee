public import SparseCore

/// A 2:4 weight in a GPU's memory, compressed as the library wants it there.
public struct SparseWeight: ~Copyable {
  /// The sizes and the type.
  public let shape: SparseShape
  let blob: DeviceBuffer

  /// The bytes of values and metadata.
  public var byteCount: Int { blob.byteCount }

  /// Lets the library compress a weight that is 2:4 (see ``SparseLtSession/isSparse(_:shape:)``).
  ///
  /// - Parameter dense: `outputs × inputs` values, row-major.
  public init(
    compressing dense: borrowing DeviceBuffer, shape: SparseShape, _ session: SparseLtSession
  ) throws(CUDAError) {
    precondition(
      dense.byteCount == shape.denseBytes,
      "SparseWeight: \(dense.byteCount) bytes for \(shape)")
    let library = session.library
    let descriptor = try MatrixDescriptor(sparse: shape, session)
    var (byteCount, scratchBytes) = (0, 0)
    try library.check(
      "cusparseLtSpMMACompressedSize2",
      library.compressedSize(session.handle.address, descriptor.address, &byteCount, &scratchBytes))
    let blob = try DeviceBuffer(byteCount: byteCount, on: session.device)
    let scratch = try DeviceBuffer(byteCount: scratchBytes, on: session.device)
    try library.check(
      "cusparseLtSpMMACompress2",
      library.compress(
        session.handle.address, descriptor.address, 1, MatrixOperation.asIs.rawValue,
        dense.address, blob.address, scratch.address, nil))
    try session.device.synchronize()
    self.init(shape, blob)
  }

  private init(_ shape: SparseShape, _ blob: consuming DeviceBuffer) {
    self.shape = shape
    self.blob = blob
  }

  /// Brings a weight to the GPU.
  ///
  /// - Parameter layout: how the library lays out its metadata on this GPU, where that is known (see
  ///   ``SparseLtSession/layout(on:)``): then only the compressed bytes are copied. Else the whole weight is, and the
  ///   library compresses it.
  /// - Throws: ``CUDAError``.
  public init(
    _ weight: Compressed24, shape: SparseShape, layout: CuSPARSELtBlob?,
    _ session: SparseLtSession, on compute: Compute = .automatic
  ) throws(CUDAError) {
    precondition(
      (weight.rows, weight.columns) == (shape.outputs, shape.inputs)
        && DeviceType(weight.type) == shape.type,
      "SparseWeight: \(weight.rows) × \(weight.columns) \(weight.type) for \(shape)")
    if let layout, let bytes = try? layout.bytes(of: weight, on: compute) {
      self.init(shape, try DeviceBuffer(copying: bytes, on: session.device))
    } else {
      let dense = try DeviceBuffer(
        copying: weight.expanded(on: compute).bytes, on: session.device)
      try self.init(compressing: dense, shape: shape, session)
    }
  }

  /// The compressed bytes, as the library has them.
  public func bytes() throws(CUDAError) -> [UInt8] { try blob.bytes(byteCount) }
}

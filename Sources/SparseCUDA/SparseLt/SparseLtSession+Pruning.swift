extension SparseLtSession {
  /// Prunes a weight by its magnitudes, on the GPU.
  ///
  /// - Parameters:
  ///   - weight: `outputs × inputs` values, row-major.
  ///   - pruned: where the result goes, of the same size; the weight itself may be.
  public func prune(
    _ weight: borrowing DeviceBuffer, shape: SparseShape, by method: DevicePruning,
    into pruned: borrowing DeviceBuffer
  ) throws(CUDAError) {
    precondition(
      weight.byteCount == shape.denseBytes && pruned.byteCount == shape.denseBytes,
      "prune: \(weight.byteCount) and \(pruned.byteCount) bytes for \(shape)")
    let descriptor = try MatrixDescriptor(sparse: shape, self)
    try library.check(
      "cusparseLtSpMMAPrune2",
      library.prune(
        handle.address, descriptor.address, 1, MatrixOperation.asIs.rawValue, weight.address,
        pruned.address, method.rawValue, nil))
    try device.synchronize()
  }

  /// Whether the library takes a weight for 2:4.
  ///
  /// - Parameter weight: `outputs × inputs` values, row-major.
  public func isSparse(
    _ weight: borrowing DeviceBuffer, shape: SparseShape
  ) throws(CUDAError) -> Bool {
    precondition(
      weight.byteCount == shape.denseBytes, "isSparse: \(weight.byteCount) bytes for \(shape)")
    let descriptor = try MatrixDescriptor(sparse: shape, self)
    let verdict = try DeviceBuffer(byteCount: MemoryLayout<Int32>.size, on: device)
    try verdict.clear()
    try library.check(
      "cusparseLtSpMMAPruneCheck2",
      library.checkPruned(
        handle.address, descriptor.address, 1, MatrixOperation.asIs.rawValue, weight.address,
        verdict.address, nil))
    return try verdict.numbers(0..<1, .int32)[0] == 0
  }
}

public import SparseCore

extension SparseLtSession {
  /// How this library on this GPU lays out what it compresses, if it is as we know it; nil if it is not.
  ///
  /// NVIDIA documents no layout. Weights of every type, of ragged sizes and with groups of every kind are
  /// compressed by the library and by ``CuSPARSELtBlob``; a single byte that differs means nil, and then the library
  /// has to compress each weight itself.
  public func layout(on compute: Compute = .automatic) throws(CUDAError) -> CuSPARSELtBlob? {
    for type in [ScalarType.float16, .bfloat16, .int8] {
      for (outputs, inputs) in [(64, 64), (96, 160), (160, 96), (32, 416)] {
        guard let shape = try? SparseShape(outputs: outputs, inputs: inputs, type: type) else {
          continue
        }
        let weight = SampleWeight(shape, seed: UInt64(outputs + inputs), on: compute)
        let dense = try DeviceBuffer(copying: weight.dense.bytes, on: device)
        let theirs = try SparseWeight(compressing: dense, shape: shape, self).bytes()
        let ours = try? CuSPARSELtBlob.h100.bytes(of: weight.compressed, on: compute)
        guard let ours, ours.withUnsafeBytes({ $0.elementsEqual(theirs) }) else { return nil }
      }
    }
    return .h100
  }
}

internal import SparseCore

/// A form of 2:4 weights that one library takes as it is: a weight at a time, from its compressed form.
struct PackedForm: Sendable {
  /// What the manifest calls it.
  let name: String
  /// The zeros that the library's own encoder would keep.
  let filler: Filler24
  /// The tensors in place of a weight, whose bytes ``bytes`` gives in the same order.
  let tensors:
    @Sendable (_ module: String, _ weight: ModelTensor) throws(MetadataError) -> [TensorSpec]
  let bytes: @Sendable (Compressed24, Compute) throws(MetadataError) -> [ByteView]
}

extension PackedForm {
  /// `packed` and `meta` of PyTorch's `SparseSemiStructuredTensorCUTLASS`.
  static let pyTorch = PackedForm(
    name: "pytorch-cutlass", filler: .pyTorch,
    tensors: { module, weight throws(MetadataError) in
      let (rows, columns) = (weight.shape[0], weight.shape[1])
      let type = weight.dtype.weightType
      let layout = MetadataLayout.pyTorch
      let byteCount = try layout.byteCount(rows: rows, columns: columns, type: type)
      let wordBytes = MetadataLayout.cutlassWordBytes(for: type)
      return [
        TensorSpec(name: module + ".packed", dtype: weight.dtype, shape: [rows, columns / 2]),
        TensorSpec(
          name: module + ".meta", dtype: wordBytes == 2 ? .i16 : .i32,
          shape: [rows, byteCount / max(1, rows) / wordBytes]),
      ]
    },
    bytes: { weight, compute throws(MetadataError) in
      [weight.values, try MetadataLayout.pyTorch.encoded(weight, on: compute)]
    })

  /// The blob of cuSPARSELt 0.8.0 on an H100, and the shape that it does not tell.
  static let cuSPARSELt = PackedForm(
    name: "cusparselt \(CuSPARSELtBlob.h100.version) \(CuSPARSELtBlob.h100.gpu)",
    filler: .cuSPARSELt,
    tensors: { module, weight throws(MetadataError) in
      let byteCount = try CuSPARSELtBlob.h100.byteCount(
        rows: weight.shape[0], columns: weight.shape[1], type: weight.dtype.weightType)
      return [
        TensorSpec(name: module + ".cusparselt", dtype: .u8, shape: [byteCount]),
        TensorSpec(name: module + ".shape", dtype: .i64, shape: [2]),
      ]
    },
    bytes: { weight, compute throws(MetadataError) in
      [
        try CuSPARSELtBlob.h100.bytes(of: weight, on: compute),
        ByteView(int64s: [weight.rows, weight.columns]),
      ]
    })
}

extension ByteView {
  /// The bytes of 64-bit integers.
  init(int64s values: [Int]) {
    self.init(
      copying: values.flatMap { value in
        Swift.withUnsafeBytes(of: Int64(value).littleEndian) { Array($0) }
      })
  }
}

import SparseCore
import SparseModel
import TestSupport

/// Files of a few small tensors, for what only looks at weights.
enum SmallCheckpoint {
  /// A tensor and its values, row after row; of INT8 they are whole numbers.
  struct Tensor {
    let name: String
    var dtype = DType.bf16
    let shape: [Int]
    let values: [Float]
  }

  /// 2 × 4, at most two non-zeros in every group.
  static func sparse(_ name: String, _ dtype: DType = .bf16) -> Tensor {
    Tensor(name: name, dtype: dtype, shape: [2, 4], values: [0, 1, -0.0, 2, 0, 0, 0, 3])
  }

  /// 2 × 4, three non-zeros in row 1.
  static func dense(_ name: String, _ dtype: DType = .bf16) -> Tensor {
    Tensor(name: name, dtype: dtype, shape: [2, 4], values: [0, 1, 0, 2, 0, 4, 5, 6])
  }

  /// Writes a safetensors file, with a manifest that promises some of the weights, and returns its path.
  static func write(
    _ tensors: [Tensor], promising names: [String]? = nil, to folder: TemporaryFolder,
    _ file: String
  ) throws -> String {
    var metadata: SafetensorsMetadata = ["format": "pt"]
    if let names {
      let manifest: JSON = ["schema": 1, "pruned": .array(names.map(JSON.string))]
      metadata[Manifest.key] = manifest.text()
    }
    let writer = try SafetensorsWriter(
      path: folder[file],
      tensors: tensors.map { TensorSpec(name: $0.name, dtype: $0.dtype, shape: $0.shape) },
      metadata: metadata)
    for tensor in tensors { try writer.write(bytes(of: tensor), as: tensor.name) }
    try writer.commit()
    return folder[file]
  }

  private static func bytes(of tensor: Tensor) -> ByteView {
    guard let type = tensor.dtype.scalarType else {
      return ByteView(copying: tensor.values.map { UInt8(bitPattern: Int8($0)) })
    }
    return StoredMatrix(Matrix(rows: 1, columns: tensor.values.count, tensor.values), as: type)
      .bytes
  }
}

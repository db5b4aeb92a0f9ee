public import SparseCore

/// A form of 2:4 weights that one library takes as it is: a weight at a time, from its compressed form.
struct PackedForm: Sendable {
  /// What the manifest calls it.
  let name: String
  /// The library that reads it.
  let reader: String
  /// What the names of the packed values end with.
  let ending: String
  /// The zeros that the library's own encoder would keep.
  let filler: Filler24
  /// The tensors in place of a weight, whose bytes ``bytes`` gives in the same order.
  let tensors:
    @Sendable (_ module: String, _ weight: ModelTensor) throws(MetadataError) -> [TensorSpec]
  let bytes: @Sendable (Compressed24, Compute) throws(MetadataError) -> [ByteView]
  /// The mask and the values of a weight that a checkpoint has in this form.
  let contents: @Sendable (Checkpoint, ExportedWeight, Compute) throws -> ExportedContents

  /// All forms.
  static let all = [pyTorch, cuSPARSELt]
}

extension PackedForm {
  /// `packed` and `meta` of PyTorch's `SparseSemiStructuredTensorCUTLASS`.
  static let pyTorch = PackedForm(
    name: "pytorch-cutlass", reader: "PyTorch", ending: ".packed", filler: .pyTorch,
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
    },
    contents: { checkpoint, weight, compute in
      let values = try checkpoint.tensor(weight.tensor)
      let metadata = try checkpoint.part(".meta", of: weight)
      guard values.shape.count == 2, values.dtype.holdsWeights else {
        throw ExportedWeightError.part(weight.tensor, values.dtype, values.shape, checkpoint.path)
      }
      let (rows, columns) = (values.shape[0], values.shape[1].multipliedReportingOverflow(by: 2))
      guard !columns.overflow else {
        throw ExportedWeightError.part(weight.tensor, values.dtype, values.shape, checkpoint.path)
      }
      let type = values.dtype.weightType
      let mask = try checkpoint.reading(weight.module + ".meta") { () throws(MetadataError) in
        try MetadataLayout.pyTorch.mask(
          from: metadata, rows: rows, columns: columns.partialValue, type: type, on: compute)
      }
      return ExportedContents(
        dtype: values.dtype, mask: mask, values: try checkpoint.bytes(of: weight.tensor),
        type: type)
    })

  /// The blob of cuSPARSELt 0.8.0 on an H100, and the shape that it does not tell.
  static let cuSPARSELt = PackedForm(
    name: "cusparselt \(CuSPARSELtBlob.h100.version) \(CuSPARSELtBlob.h100.gpu)",
    reader: "cuSPARSELt", ending: ".cusparselt",
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
    },
    contents: { checkpoint, weight, compute in
      let blob = try checkpoint.bytes(of: weight.tensor)
      _ = try checkpoint.part(".shape", of: weight)
      let shape = try checkpoint.integers(weight.module + ".shape")
      guard shape.count == 2, shape.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
        throw ExportedWeightError.shape(weight.module + ".shape", shape, checkpoint.path)
      }
      // The blob does not tell its type: INT8 comes with scales, and of 16 bits both kinds look the same.
      let isInt8 = checkpoint[CompressedTensors.scaleName(of: weight.name)] != nil
      let type: ScalarType = isInt8 ? .int8 : .bfloat16
      let contents = try checkpoint.reading(weight.tensor) { () throws(MetadataError) in
        try CuSPARSELtBlob.h100.contents(
          of: blob, rows: shape[0], columns: shape[1], type: type, on: compute)
      }
      return ExportedContents(
        dtype: .u8, mask: contents.mask, values: isInt8 ? contents.values : nil, type: type)
    })
}

/// A weight that a checkpoint has in a packed form.
struct ExportedWeight: Sendable {
  /// The module that it belongs to.
  let module: String
  /// The tensor with its values.
  let tensor: String
  /// The name that it would have if it were whole.
  var name: String { module + ".weight" }
}

/// What a packed weight holds.
struct ExportedContents: Sendable {
  /// The type of the tensor with the values.
  let dtype: DType
  /// Where the values belong.
  let mask: Mask24
  /// The kept values; nil where their type is not known.
  let values: ByteView?
  let type: ScalarType
}

extension PackedForm {
  /// The weights that a checkpoint has in this form, in its order.
  func weights(in checkpoint: Checkpoint) -> [ExportedWeight] {
    checkpoint.tensors.filter { $0.name.hasSuffix(ending) && $0.name.count > ending.count }.map {
      ExportedWeight(module: String($0.name.dropLast(ending.count)), tensor: $0.name)
    }
  }
}

extension Checkpoint {
  /// The bytes of a packed weight's second tensor.
  fileprivate func part(_ ending: String, of weight: ExportedWeight) throws -> ByteView {
    guard self[weight.module + ending] != nil else {
      throw ExportedWeightError.missing(weight.module + ending, of: weight.tensor, path)
    }
    return try bytes(of: weight.module + ending)
  }

  /// The result of reading metadata from the tensor of that name.
  fileprivate func reading<Result>(
    _ name: String, _ body: () throws(MetadataError) -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch {
      throw ExportedWeightError.metadata(name, error, path)
    }
  }
}

/// Why a packed weight cannot be read.
public enum ExportedWeightError: Error, Equatable {
  /// One of its tensors is not there.
  case missing(String, of: String, _ path: String)
  /// The tensor with the values has a type or a shape that the form does not have.
  case part(String, DType, [Int], _ path: String)
  /// The tensor with the shape holds none.
  case shape(String, [Int], _ path: String)
  /// The metadata do not belong to the values, or do not name two places of each four.
  case metadata(String, MetadataError, _ path: String)
}

extension ExportedWeightError: CustomStringConvertible {
  /// One line: the path, the tensor, and what is wrong with it.
  public var description: String {
    switch self {
    case .missing(let name, let tensor, let path):
      "\(path): tensor '\(tensor)' is a packed weight, and its '\(name)' is missing"
    case .part(let name, let dtype, let shape, let path):
      "\(path): tensor '\(name)' is \(dtype.rawValue) \(shape), not the values of a packed weight"
    case .shape(let name, let shape, let path):
      "\(path): tensor '\(name)' holds \(shape), not the rows and columns of a packed weight"
    case .metadata(let name, let reason, let path): "\(path): tensor '\(name)': \(reason)"
    }
  }
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

public import SparseCore

/// 2:4 weights in the layout `sparse-24-bitmask`, as compressed-tensors 0.9 to 0.14 kept them: instead of `P.weight`
/// there are its kept values `P.compressed`, their places `P.bitmask` and `P.shape`.
extension Checkpoint {
  /// The compressed weight that would be named `name` if it were whole; nil where there is none.
  ///
  /// - Throws: ``CompressedWeightError`` where its parts are missing or do not belong together.
  func compressedWeight(_ name: String, on compute: Compute = .automatic) throws -> Compressed24? {
    guard let shape = try compressedShape(name) else { return nil }
    let values = try tensor(CompressedTensors.valuesName(of: name))
    let mask = try bytes(of: CompressedTensors.maskName(of: name))
    let (codes, rows, columns) = (try bytes(of: values.name), shape[0], shape[1])
    let grid = values.dtype == .i8 ? try int8Grid(of: name, rows: rows, columns: columns) : nil
    do throws(CompressionError) {
      if let grid { return try Compressed24(codes: codes, mask: mask, on: grid, on: compute) }
      guard let type = values.dtype.scalarType else {
        preconditionFailure("compressedShape let \(values.dtype) through")
      }
      return try Compressed24(
        rows: rows, columns: columns, type: type, values: codes, mask: mask, on: compute)
    } catch {
      throw CompressedWeightError.mask(
        tensor: CompressedTensors.maskName(of: name), reason: error, path: files[values.file].path)
    }
  }

  /// The dimensions of a compressed weight whose parts are all there, with shapes and types that agree.
  func compressedShape(_ name: String) throws -> [Int]? {
    guard let values = self[CompressedTensors.valuesName(of: name)] else { return nil }
    let path = files[values.file].path
    if self[name] != nil { throw CompressedWeightError.twice(weight: name, path: path) }
    let offsets = CompressedTensors.module(of: name) + ".row_offsets"
    if self[offsets] != nil {
      throw CompressedWeightError.unstructured(tensor: values.name, path: path)
    }
    guard values.dtype.holdsWeights else {
      throw CompressedWeightError.dtype(
        tensor: values.name, found: values.dtype, allowed: [.f32, .f16, .bf16, .i8], path: path)
    }
    let (maskName, shapeName) = (
      CompressedTensors.maskName(of: name), CompressedTensors.shapeName(of: name)
    )
    guard let mask = self[maskName] else {
      throw CompressedWeightError.missing(tensor: maskName, values: values.name, path: path)
    }
    guard mask.dtype == .u8 else {
      throw CompressedWeightError.dtype(
        tensor: maskName, found: mask.dtype, allowed: [.u8], path: path)
    }
    guard let shapeTensor = self[shapeName] else {
      throw CompressedWeightError.missing(tensor: shapeName, values: values.name, path: path)
    }
    guard shapeTensor.dtype == .i64 else {
      throw CompressedWeightError.dtype(
        tensor: shapeName, found: shapeTensor.dtype, allowed: [.i64], path: path)
    }
    let shape = try integers(shapeName)
    guard shape.count == 2, shape.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }), shape[1] % 4 == 0 else {
      throw CompressedWeightError.shape(tensor: shapeName, found: shape, path: path)
    }
    for (tensor, expected) in [
      (values, [shape[0], shape[1] / 2]), (mask, [shape[0], (shape[1] + 7) / 8]),
    ] where tensor.shape != expected {
      throw CompressedWeightError.partShape(
        tensor: tensor.name, found: tensor.shape, expected: expected, weight: shape, path: path)
    }
    return shape
  }

  /// Throws where a weight is compressed, or packed for one library.
  func requireWhole() throws {
    try requireUnpacked()
    if let compressed = try modelTensors().first(where: \.isCompressed) {
      throw CompressedWeightError.expandFirst(weight: compressed.name, path: path)
    }
  }
}

/// Why a compressed weight cannot be read, or is not taken.
public enum CompressedWeightError: Error, Equatable {
  /// Kept values without their mask or their shape.
  case missing(tensor: String, values: String, path: String)
  /// A part has another type than that layout gives it.
  case dtype(tensor: String, found: DType, allowed: [DType], path: String)
  /// What should be a shape are not two dimensions, the second one a multiple of 4.
  case shape(tensor: String, found: [Int], path: String)
  /// A part has another shape than the weight's makes it.
  case partShape(tensor: String, found: [Int], expected: [Int], weight: [Int], path: String)
  /// The mask does not keep two of every four.
  case mask(tensor: String, reason: CompressionError, path: String)
  /// The weight is there whole, too.
  case twice(weight: String, path: String)
  /// The layout `sparse-bitmask`, which is not bound to 2:4.
  case unstructured(tensor: String, path: String)
  /// config.json says that weights are compressed, and none is.
  case noneCompressed(format: String, path: String)
  /// A weight is compressed that has to be whole for what was asked.
  case expandFirst(weight: String, path: String)
}

extension CompressedWeightError: CustomStringConvertible {
  /// One line that names the file, the tensor and the numbers.
  public var description: String {
    switch self {
    case .missing(let tensor, let values, let path):
      "\(path): tensor '\(values)' is a compressed weight, and its '\(tensor)' is missing"
    case .dtype(let tensor, let found, let allowed, let path):
      "\(path): tensor '\(tensor)' is \(found.rawValue); as a part of a compressed weight it must be \(allowed.map(\.rawValue).joined(separator: ", "))"
    case .shape(let tensor, let found, let path):
      "\(path): tensor '\(tensor)' holds \(found), not the rows and columns of a weight with groups of four columns"
    case .partShape(let tensor, let found, let expected, let weight, let path):
      "\(path): tensor '\(tensor)' is \(found); for a compressed weight of \(weight) it must be \(expected)"
    case .mask(let tensor, let reason, let path): "\(path): tensor '\(tensor)': \(reason)"
    case .twice(let weight, let path):
      "\(path): the weight '\(weight)' is there twice, whole and compressed"
    case .unstructured(let tensor, let path):
      "\(path): tensor '\(tensor)' is in the layout sparse-bitmask; only sparse-24-bitmask is read"
    case .noneCompressed(let format, let path):
      "\(path): sparsity_config says that weights are in the format \(format), and none is"
    case .expandFirst(let weight, let path):
      "\(path): the weight '\(weight)' is compressed; 'sparsify expand' makes it whole"
    }
  }
}

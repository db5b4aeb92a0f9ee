public import SparseCore

/// Why no kernel takes a product.
public enum SparseProductError: Error, Equatable {
  /// The weight's sizes are no multiples of what the library takes.
  case shape(SparseObstacle)
  /// A type that 2:4 weights cannot have here.
  case type(ScalarType)
  /// A result that no kernel writes for weights of this type.
  case result(DeviceType, of: DeviceType, possible: [DeviceType])
  /// No rows at all.
  case rows(Int)
}

extension SparseProductError: CustomStringConvertible {
  /// A few words with the numbers.
  public var description: String {
    switch self {
    case .shape(let obstacle): "\(obstacle)"
    case .type(let type): "there are no sparse kernels for \(type)"
    case .result(let result, let type, let possible):
      "products of \(type.rawValue) give \(possible.map(\.rawValue).joined(separator: ", ")), not \(result.rawValue)"
    case .rows(let rows): "a product of \(rows) rows"
    }
  }
}

/// The sizes and the type of a weight that the library takes.
public struct SparseShape: Sendable, Hashable {
  /// The rows.
  public let outputs: Int
  /// The columns: the reduction dimension.
  public let inputs: Int
  /// The number format.
  public let type: DeviceType

  /// A shape that there are kernels for.
  ///
  /// Measured with cuSPARSELt 0.8.0 on an H100: outputs and inputs must be multiples of 16 for 16-bit formats, and of
  /// 32 for INT8.
  ///
  /// - Throws: ``SparseProductError``, before the library would answer with a number.
  public init(outputs: Int, inputs: Int, type: ScalarType) throws(SparseProductError) {
    guard let deviceType = DeviceType(type) else { throw .type(type) }
    let form = type == .int8 ? LinearForm.sparseInt8 : .sparseHalf
    if let obstacle = form.shapeObstacle(outputs: outputs, inputs: inputs) {
      throw .shape(obstacle)
    }
    self.outputs = outputs
    self.inputs = inputs
    self.type = deviceType
  }

  /// The bytes of the weight with all of its zeros: `outputs × inputs`, row-major.
  public var denseBytes: Int { outputs * inputs * type.byteCount }
}

/// The sizes and types of `y = x · weightᵀ` with a 2:4 weight: all that a plan depends on.
public struct SparseProduct: Sendable, Hashable {
  /// The weight's.
  public let weight: SparseShape
  /// The rows of the activations that are wanted.
  public let rows: Int
  /// The format of the result.
  public let result: DeviceType

  /// A product that the library has kernels for.
  ///
  /// Products of 16-bit formats give their own format, those of INT8 give INT8, INT32, float16 or bfloat16.
  ///
  /// - Parameter result: nil for the weight's own format, and for float16 where that is INT8.
  /// - Throws: ``SparseProductError``.
  public init(
    _ weight: SparseShape, rows: Int, result: DeviceType? = nil
  ) throws(SparseProductError) {
    guard rows > 0 else { throw .rows(rows) }
    let possible: [DeviceType] =
      weight.type == .int8 ? [.int8, .int32, .float16, .bfloat16] : [weight.type]
    let result = result ?? (weight.type == .int8 ? .float16 : weight.type)
    guard possible.contains(result) else {
      throw .result(result, of: weight.type, possible: possible)
    }
    self.weight = weight
    self.rows = rows
    self.result = result
  }

  /// The rows that are computed: the next multiple of 16 for INT8, of 8 for 16 bits.
  public var paddedRows: Int {
    let multiple = weight.type == .int8 ? 16 : 8
    return (rows + multiple - 1) / multiple * multiple
  }

  /// The bytes of the activations, those of the rows that fill up included: `paddedRows × inputs`, row-major.
  public var inputBytes: Int { paddedRows * weight.inputs * weight.type.byteCount }

  /// The bytes of the result: `paddedRows × outputs`, row-major.
  public var outputBytes: Int { paddedRows * weight.outputs * result.byteCount }
}

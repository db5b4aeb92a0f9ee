/// The sizes and types of `y = x · weightᵀ` with a dense weight.
public struct DenseProduct: Sendable, Hashable {
  /// The rows of the activations that are wanted.
  public let rows: Int
  /// The rows of the weight.
  public let outputs: Int
  /// The columns of the weight: the reduction dimension.
  public let inputs: Int
  /// The format of weight and activations.
  public let type: DeviceType
  /// The format of the result.
  public let result: DeviceType

  /// A product of 16-bit formats, which gives the same format, or of INT8, which gives INT8 (rounded) or INT32.
  ///
  /// It is nil for INT8 whose outputs or inputs are no multiple of 4, for which there are no kernels. Rows of INT8 are
  /// filled up to a multiple of 16.
  public init?(rows: Int, outputs: Int, inputs: Int, type: DeviceType, result: DeviceType? = nil) {
    let result = result ?? type
    precondition(
      rows > 0 && outputs > 0 && inputs > 0, "DenseProduct: \(rows), \(outputs), \(inputs)")
    precondition(
      type == .int8 ? result == .int8 || result == .int32 : type != .int32 && result == type,
      "DenseProduct: \(type) gives no \(result)")
    if type == .int8 && (outputs % 4 != 0 || inputs % 4 != 0) { return nil }
    self.rows = rows
    self.outputs = outputs
    self.inputs = inputs
    self.type = type
    self.result = result
  }

  /// The rows that are computed.
  public var paddedRows: Int { type == .int8 ? (rows + 15) / 16 * 16 : rows }

  /// The bytes of the activations: `paddedRows × inputs`, row-major.
  public var inputBytes: Int { paddedRows * inputs * type.byteCount }

  /// The bytes of the result: `paddedRows × outputs`, row-major.
  public var outputBytes: Int { paddedRows * outputs * result.byteCount }

  /// The bytes of the weight: `outputs × inputs`, row-major.
  public var weightBytes: Int { outputs * inputs * type.byteCount }
}

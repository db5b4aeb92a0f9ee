/// A tensor to be written: its name and what it is made of.
public struct TensorSpec: Sendable, Equatable {
  /// The name, any text.
  public var name: String
  /// The element type.
  public var dtype: DType
  /// The dimensions, slowest first; none for a single value.
  public var shape: [Int]

  /// A tensor of `shape`.
  public init(name: String, dtype: DType, shape: [Int]) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
  }

  /// The number of bytes.
  public var byteCount: Int { shape.reduce(1, *) * dtype.bits / 8 }

  /// Whether names (by their bytes), types and shapes are the same.
  public static func == (left: TensorSpec, right: TensorSpec) -> Bool {
    left.name.hasSameBytes(as: right.name) && left.dtype == right.dtype
      && left.shape == right.shape
  }
}

/// A tensor of a safetensors file and where it is.
public struct TensorInfo: Sendable, Equatable {
  /// Name, type and shape.
  public let spec: TensorSpec
  /// The tensor's bytes, counted from the start of the file's data.
  public let range: Range<Int>

  /// The name, any text.
  public var name: String { spec.name }
  /// The element type.
  public var dtype: DType { spec.dtype }
  /// The dimensions, slowest first; none for a single value.
  public var shape: [Int] { spec.shape }
  /// The number of elements.
  public var elementCount: Int { byteCount * 8 / dtype.bits }
  /// The number of bytes.
  public var byteCount: Int { range.count }
}

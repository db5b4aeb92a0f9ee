public import SparseCore

/// The number formats that products read and write on a GPU.
public enum DeviceType: String, Sendable, CaseIterable {
  case float16 = "fp16"
  case bfloat16 = "bf16"
  case int8 = "INT8"
  case int32 = "INT32"

  /// The format of a weight; nil for float32, of which no sparse kernel is called.
  public init?(_ type: ScalarType) {
    switch type {
    case .float32: return nil
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .int8: self = .int8
    }
  }

  /// The bytes of one value.
  public var byteCount: Int {
    switch self {
    case .int8: 1
    case .float16, .bfloat16: 2
    case .int32: 4
    }
  }

  /// What a checkpoint calls it; nil for INT32, which none holds.
  public var scalarType: ScalarType? {
    switch self {
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int8: .int8
    case .int32: nil
    }
  }

  /// `cudaDataType`.
  var code: Int32 {
    switch self {
    case .float16: 2
    case .int8: 3
    case .int32: 10
    case .bfloat16: 14
    }
  }
}

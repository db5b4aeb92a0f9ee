/// The number formats that weights are stored in and computed from.
public enum ScalarType: String, Sendable, CaseIterable {
  /// IEEE 754 binary32.
  case float32
  /// IEEE 754 binary16.
  case float16
  /// The upper half of a binary32.
  case bfloat16
  /// Signed bytes, which stand for numbers together with the scales of an ``Int8Grid``.
  case int8

  /// The formats whose values stand for themselves.
  public static let floatingPoint: [ScalarType] = [.float32, .float16, .bfloat16]

  /// The size of one value in bytes.
  public var byteCount: Int {
    switch self {
    case .float32: 4
    case .float16, .bfloat16: 2
    case .int8: 1
    }
  }
}

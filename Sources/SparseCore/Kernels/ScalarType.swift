/// The number formats that weights are stored in and computed from.
public enum ScalarType: String, Sendable, CaseIterable {
  /// IEEE 754 binary32.
  case float32
  /// IEEE 754 binary16.
  case float16
  /// The upper half of a binary32.
  case bfloat16

  /// The size of one value in bytes.
  public var byteCount: Int { self == .float32 ? 4 : 2 }
}

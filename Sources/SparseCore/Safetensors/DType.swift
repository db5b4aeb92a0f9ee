/// The element types of the safetensors format, in its own order, by which files are laid out.
///
/// All of them can be carried from file to file; `scalarType` says which can be computed with.
public enum DType: String, Sendable, CaseIterable {
  /// A byte that is 0 or 1.
  case bool = "BOOL"
  /// 4-bit float, two to a byte.
  case f4 = "F4"
  /// 6-bit float with a 2-bit exponent.
  case f6e2m3 = "F6_E2M3"
  /// 6-bit float with a 3-bit exponent.
  case f6e3m2 = "F6_E3M2"
  /// Unsigned 8-bit integer.
  case u8 = "U8"
  /// Signed 8-bit integer.
  case i8 = "I8"
  /// 8-bit float with a 5-bit exponent.
  case f8e5m2 = "F8_E5M2"
  /// 8-bit float with a 4-bit exponent.
  case f8e4m3 = "F8_E4M3"
  /// 8-bit exponent, used as a scale.
  case f8e8m0 = "F8_E8M0"
  /// 8-bit float with a 4-bit exponent, without negative zero.
  case f8e4m3fnuz = "F8_E4M3FNUZ"
  /// 8-bit float with a 5-bit exponent, without negative zero.
  case f8e5m2fnuz = "F8_E5M2FNUZ"
  /// Signed 16-bit integer.
  case i16 = "I16"
  /// Unsigned 16-bit integer.
  case u16 = "U16"
  /// IEEE 754 binary16.
  case f16 = "F16"
  /// The upper half of a binary32.
  case bf16 = "BF16"
  /// Signed 32-bit integer.
  case i32 = "I32"
  /// Unsigned 32-bit integer.
  case u32 = "U32"
  /// IEEE 754 binary32.
  case f32 = "F32"
  /// Complex number of two binary32.
  case c64 = "C64"
  /// IEEE 754 binary64.
  case f64 = "F64"
  /// Signed 64-bit integer.
  case i64 = "I64"
  /// Unsigned 64-bit integer.
  case u64 = "U64"

  /// The size of one element in bits.
  public var bits: Int {
    switch self {
    case .f4: 4
    case .f6e2m3, .f6e3m2: 6
    case .bool, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// How kernels read this type; nil for what is no number to compute with by itself: I8 needs scales, which are a tensor of their own.
  public var scalarType: ScalarType? {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .bf16: .bfloat16
    default: nil
    }
  }

  /// The place in the format's order.
  var rank: Int { Self.ranks[self] ?? 0 }

  private static let ranks = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

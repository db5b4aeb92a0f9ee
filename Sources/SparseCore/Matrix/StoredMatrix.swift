/// A `rows × columns` matrix as a checkpoint stores it: float32, float16 or bfloat16, row-major, little endian.
///
/// The bytes stay where they are (usually in a mapped file); kernels convert while they read. They
/// need not be aligned.
public struct StoredMatrix: Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The number format.
  public let type: ScalarType
  /// The values' bytes, `rows · columns · type.byteCount` of them.
  public let bytes: ByteView

  /// A matrix over bytes that hold its values row after row.
  public init(rows: Int, columns: Int, type: ScalarType, bytes: ByteView) {
    precondition(
      bytes.count == rows * columns * type.byteCount,
      "StoredMatrix: \(rows) × \(columns) \(type) needs \(rows * columns * type.byteCount) bytes, got \(bytes.count)"
    )
    self.rows = rows
    self.columns = columns
    self.type = type
    self.bytes = bytes
  }
}

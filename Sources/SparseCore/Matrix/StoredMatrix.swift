/// A `rows × columns` matrix as a checkpoint stores it: float32, float16, bfloat16 or INT8 with scales, row-major, little endian.
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
  /// What the signed bytes of an INT8 matrix stand for; nil for all other types.
  public let grid: Int8Grid?

  /// A matrix over bytes that hold its values row after row.
  ///
  /// - Parameter type: a floating-point type.
  public init(rows: Int, columns: Int, type: ScalarType, bytes: ByteView) {
    precondition(type != .int8, "StoredMatrix: INT8 needs a grid")
    self.init(rows: rows, columns: columns, type: type, bytes: bytes, grid: nil)
  }

  /// An INT8 matrix over its codes on a grid, row after row.
  public init(codes: ByteView, on grid: Int8Grid) {
    self.init(rows: grid.rows, columns: grid.columns, type: .int8, bytes: codes, grid: grid)
  }

  private init(rows: Int, columns: Int, type: ScalarType, bytes: ByteView, grid: Int8Grid?) {
    precondition(
      bytes.count == rows * columns * type.byteCount,
      "StoredMatrix: \(rows) × \(columns) \(type) needs \(rows * columns * type.byteCount) bytes, got \(bytes.count)"
    )
    self.rows = rows
    self.columns = columns
    self.type = type
    self.bytes = bytes
    self.grid = grid
  }

  /// Some neighbouring rows of this matrix, where they lie.
  public func rows(_ range: Range<Int>) -> StoredMatrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "rows: \(range) is outside 0..<\(rows)")
    return StoredMatrix(
      rows: range.count, columns: columns, type: type,
      bytes: bytes[range.lowerBound * rowBytes..<range.upperBound * rowBytes],
      grid: grid?.rows(range))
  }

  /// The bytes of one row.
  var rowBytes: Int { columns * type.byteCount }
}

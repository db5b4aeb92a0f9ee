/// A stored matrix on its way: rows come in order, some at a time, and take their place in the format that they are stored in.
package struct StoredRows {
  private let rows: Int
  private let columns: Int
  private let type: ScalarType
  private let storage: AlignedFloats
  private var filled = 0
  private var scales: [Float] = []
  private var groupSize: Int?

  /// A place for `rows × columns` values.
  ///
  /// - Parameter type: ``ScalarType/int8`` where every batch of rows has a grid.
  package init(rows: Int, columns: Int, type: ScalarType) {
    self.rows = rows
    self.columns = columns
    self.type = type
    storage = AlignedFloats(count: (rows * columns * type.byteCount + 3) / 4)
  }

  /// Rounds the next rows to the format, or to the grid that they lie on.
  package mutating func append(_ matrix: Matrix, grid: Int8Grid? = nil, on compute: Compute) {
    precondition(
      matrix.columns == columns && filled + matrix.rows <= rows && (grid != nil) == (type == .int8),
      "StoredRows: \(matrix.rows) × \(matrix.columns) after \(filled) of \(rows) × \(columns)")
    let place = UnsafeMutableRawPointer(storage.pointer) + filled * columns * type.byteCount
    if let grid {
      let codes = UnsafeMutableBufferPointer(
        start: place.bindMemory(to: Int8.self, capacity: matrix.values.count),
        count: matrix.values.count)
      grid.code(matrix, into: codes, on: compute)
      scales += grid.scales
      groupSize = grid.groupSize
    } else {
      matrix.store(as: type, to: place, on: compute)
    }
    filled += matrix.rows
  }

  /// The matrix, once all rows are there.
  package consuming func finish() -> StoredMatrix {
    precondition(filled == rows, "StoredRows: \(filled) of \(rows) rows")
    let bytes = ByteView(
      UnsafeRawBufferPointer(start: storage.pointer, count: rows * columns * type.byteCount),
      owner: storage)
    guard type == .int8 else {
      return StoredMatrix(rows: rows, columns: columns, type: type, bytes: bytes)
    }
    return StoredMatrix(
      codes: bytes,
      on: Int8Grid(rows: rows, columns: columns, groupSize: groupSize ?? columns, scales: scales))
  }
}

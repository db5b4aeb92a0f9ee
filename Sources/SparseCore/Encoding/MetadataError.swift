/// Why metadata could not be made for a weight, or a mask not be read from metadata.
public enum MetadataError: Error, Equatable, Sendable {
  /// The layout has no metadata for values of this type.
  case type(ScalarType, layout: String)
  /// The weight's columns are no multiple of four, so that it has no groups, or a size is negative or beyond 2³¹ − 1.
  case size(rows: Int, columns: Int)
  /// The layout takes only weights whose sizes are multiples of these.
  case shape(rows: Int, columns: Int, rowMultiple: Int, columnMultiple: Int, layout: String)
  /// The metadata is shorter or longer than that of the weight.
  case byteCount(Int, needed: Int, layout: String)
  /// An index nibble is not two ascending places; the first such one in the order of rows and groups.
  case invalidNibble(UInt8, row: Int, group: Int)
}

extension MetadataError: CustomStringConvertible {
  /// One line that says what is wrong, with the numbers.
  public var description: String {
    switch self {
    case .type(.float32, let layout):
      "\(layout) has no 2:4 metadata for float32: of these, sparse tensor cores keep one of two"
    case .type(let type, let layout):
      "\(layout) has no metadata for \(type)"
    case .size(let rows, let columns):
      "\(rows) × \(columns) has no 2:4 metadata: columns must be a multiple of 4, and neither size negative or beyond 2147483647"
    case .shape(let rows, let columns, let rowMultiple, let columnMultiple, let layout):
      "\(layout) metadata of \(rows) × \(columns): rows must be a multiple of \(rowMultiple) and columns of \(columnMultiple)"
    case .byteCount(let count, let needed, let layout):
      "\(layout): \(count) bytes, but a weight of this shape has \(needed)"
    case .invalidNibble(let nibble, let row, let group):
      "metadata of row \(row), group \(group): \(nibble & 3) and \(nibble >> 2) are not two ascending places"
    }
  }
}

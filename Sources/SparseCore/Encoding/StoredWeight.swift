/// A weight as a checkpoint stores it: all of its values, or the kept half of them.
public enum StoredWeight: Sendable {
  /// Every value.
  case whole(StoredMatrix)
  /// The kept values and their mask.
  case compressed(Compressed24)

  /// The number of rows.
  public var rows: Int {
    switch self {
    case .whole(let matrix): matrix.rows
    case .compressed(let weight): weight.rows
    }
  }

  /// The number of columns.
  public var columns: Int {
    switch self {
    case .whole(let matrix): matrix.columns
    case .compressed(let weight): weight.columns
    }
  }

  /// The number format.
  public var type: ScalarType {
    switch self {
    case .whole(let matrix): matrix.type
    case .compressed(let weight): weight.type
    }
  }

  /// The bytes of all values, as they are stored.
  package var wholeByteCount: Int { rows * columns * type.byteCount }

  /// Whether only the kept values are stored.
  public var isCompressed: Bool {
    if case .compressed = self { true } else { false }
  }

  /// All values: where they lie, or expanded.
  public func matrix(on compute: Compute = .automatic) -> StoredMatrix {
    switch self {
    case .whole(let matrix): matrix
    case .compressed(let weight): weight.expanded(on: compute)
    }
  }
}

internal import Synchronization

/// A 2:4 weight as the half of its values that is kept, and a mask that says where they belong.
///
/// It takes 9/16 of a weight of 16-bit values and 5/8 of an INT8 weight, besides the scales of INT8. What
/// comes back is the weight bit for bit, but that −0.0 becomes +0.0.
///
/// ```swift
/// let weight = StoredMatrix(Matrix(rows: 1, columns: 8, [0, -3, 2, 0, 4, 0, 0, 6]), as: .bfloat16)
/// let compressed = try Compressed24(exactly: weight)
/// compressed.values.count                          // 8 bytes: -3, 2, 4 and 6
/// Matrix(compressed.expanded()) == Matrix(weight)  // true
/// ```
public struct Compressed24: Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns of the whole weight, a multiple of 4.
  public let columns: Int
  /// The number format.
  public let type: ScalarType
  /// The kept values, row after row, `columns / 2` in each, little endian; they need not be aligned.
  public let values: ByteView
  /// A bit for each weight in the layout of ``Mask24``, set where it is kept: two in every group of four.
  public let mask: ByteView
  /// What the signed bytes of INT8 stand for; nil for all other types.
  public let grid: Int8Grid?

  /// Compresses a weight that is 2:4.
  ///
  /// - Parameter filler: which zeros are kept in groups with fewer than two non-zeros.
  /// - Throws: ``CompressionError`` for columns that are no multiple of 4, and for the first group with
  ///   more than two non-zeros, or with a NaN or an infinity: no value is ever dropped.
  public init(
    exactly weight: StoredMatrix, filler: Filler24 = .compressedTensors,
    on compute: Compute = .automatic
  ) throws(CompressionError) {
    let layout = Layout24(columns: weight.columns, type: weight.type)
    guard weight.columns % 4 == 0 else {
      throw .columnsNotMultipleOfFour(columns: weight.columns)
    }
    let violations = Atomic(0)
    var mask = ByteView(copying: [])
    let values = ByteView(count: weight.rows * layout.valueBytes) { values in
      mask = ByteView(count: weight.rows * layout.maskBytes) { mask in
        nonisolated(unsafe) let (values, mask) = (values, mask)
        Parallel.forEachRange(
          of: weight.rows, size: layout.rowsPerPiece, threads: compute.threads
        ) { rows in
          let found = layout.compress(
            weight.rows(rows).bytes.bytes, filler: filler,
            values: .init(rebasing: values[layout.values(of: rows)]),
            mask: .init(rebasing: mask[layout.mask(of: rows)]), kernels: compute.kernels)
          violations.add(found, ordering: .relaxed)
        }
      }
    }
    if violations.load(ordering: .relaxed) > 0,
      let first = GroupViolation(firstIn: weight, on: compute)
    {
      throw .notTwoOfFour(first)
    }
    self.init(weight.rows, weight.columns, weight.type, values, mask, weight.grid)
  }

  /// A compressed weight of floating-point numbers over its bytes.
  ///
  /// - Throws: ``CompressionError`` for columns that are no multiple of 4, and for the first group of
  ///   the mask that does not keep two.
  public init(
    rows: Int, columns: Int, type: ScalarType, values: ByteView, mask: ByteView,
    on compute: Compute = .automatic
  ) throws(CompressionError) {
    precondition(type != .int8, "Compressed24: INT8 needs a grid")
    try Layout24(columns: columns, type: type).check(mask, rows: rows, on: compute)
    self.init(rows, columns, type, values, mask, nil)
  }

  /// A compressed INT8 weight over its codes, of which its grid tells the shape.
  ///
  /// - Throws: ``CompressionError`` as the other initializer does.
  public init(
    codes: ByteView, mask: ByteView, on grid: Int8Grid, on compute: Compute = .automatic
  ) throws(CompressionError) {
    try Layout24(columns: grid.columns, type: .int8).check(mask, rows: grid.rows, on: compute)
    self.init(grid.rows, grid.columns, .int8, codes, mask, grid)
  }

  private init(
    _ rows: Int, _ columns: Int, _ type: ScalarType, _ values: ByteView, _ mask: ByteView,
    _ grid: Int8Grid?
  ) {
    let layout = Layout24(columns: columns, type: type)
    precondition(
      values.count == rows * layout.valueBytes && mask.count == rows * layout.maskBytes,
      "Compressed24: \(values.count) bytes of values and \(mask.count) of a mask for \(rows) × \(columns) \(type)"
    )
    self.rows = rows
    self.columns = columns
    self.type = type
    self.values = values
    self.mask = mask
    self.grid = grid
  }

  /// The size in bytes, without the scales of INT8.
  public var byteCount: Int { values.count + mask.count }

  /// Some neighbouring rows, where they lie.
  public func rows(_ range: Range<Int>) -> Compressed24 {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "rows: \(range) is outside 0..<\(rows)")
    let layout = Layout24(columns: columns, type: type)
    return Compressed24(
      range.count, columns, type, values[layout.values(of: range)], mask[layout.mask(of: range)],
      grid?.rows(range))
  }

  /// The whole weight, with +0.0 for all that is not kept.
  public func expanded(on compute: Compute = .automatic) -> StoredMatrix {
    let layout = Layout24(columns: columns, type: type)
    let bytes = ByteView(count: rows * layout.denseBytes) { out in
      nonisolated(unsafe) let out = out
      Parallel.forEachRange(
        of: rows, size: layout.rowsPerPiece, threads: compute.threads
      ) { range in
        let piece = rows(range)
        layout.expand(
          piece.values.bytes, mask: piece.mask.bytes,
          into: .init(rebasing: out[layout.dense(of: range)]), kernels: compute.kernels)
      }
    }
    if let grid { return StoredMatrix(codes: bytes, on: grid) }
    return StoredMatrix(rows: rows, columns: columns, type: type, bytes: bytes)
  }
}

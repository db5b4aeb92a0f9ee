/// What products read of a weight that stays as it is stored.
extension StoredWeight {
  /// What the signed bytes of INT8 stand for; nil for all other types.
  var grid: Int8Grid? {
    switch self {
    case .whole(let matrix): matrix.grid
    case .compressed(let weight): weight.grid
    }
  }

  /// Some neighbouring rows, where they lie.
  func rows(_ range: Range<Int>) -> StoredWeight {
    switch self {
    case .whole(let matrix): .whole(matrix.rows(range))
    case .compressed(let weight): .compressed(weight.rows(range))
    }
  }

  /// All rows from `column` on; of a compressed weight that column must begin a byte of the mask.
  func rows(fromColumn column: Int) -> WeightRows {
    switch self {
    case .whole(let matrix):
      return WeightRows(
        values: matrix.bytes.bytes.start + column * matrix.type.byteCount,
        valueBytes: matrix.rowBytes)
    case .compressed(let weight):
      precondition(column % 8 == 0, "rows: column \(column) is inside a byte of the mask")
      let layout = Layout24(columns: weight.columns, type: weight.type)
      let mask = weight.mask.bytes.start.assumingMemoryBound(to: UInt8.self)
      return WeightRows(
        values: weight.values.bytes.start + column / 2 * weight.type.byteCount,
        valueBytes: layout.valueBytes, mask: mask + column / 8, maskBytes: layout.maskBytes)
    }
  }

  /// The weight with rows that can be read from the start of each group of its grid.
  ///
  /// It is expanded where groups of a compressed weight share bytes of the mask.
  func readableByGroups(kernels: KernelSet) -> StoredWeight {
    guard isCompressed, let grid, !grid.isPerChannel, grid.groupSize % 8 != 0 else { return self }
    return .whole(matrix(on: Compute(kernels: kernels, threads: 1)))
  }

  /// Rows for one thread to take at a time.
  ///
  /// Their bytes stay in a second-level cache, for all rows of activations to pass by, and each of the
  /// streams that a kernel reads is long. A weight of less than two pieces is one: to wake a thread takes
  /// as long as to read half a megabyte. Where rows have many scales, what they share is kept near.
  var rowsPerPiece: Int {
    guard grid?.isPerChannel ?? true else { return 16 }
    let bits = columns * type.byteCount * 8
    let rowBytes = isCompressed ? (bits / 2 + columns) / 8 : bits / 8
    let pieces = max(1, rows * rowBytes >> 19)
    return max(16, ((rows + pieces - 1) / pieces + 15) / 16 * 16)
  }
}

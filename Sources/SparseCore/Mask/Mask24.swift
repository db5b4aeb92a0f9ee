/// Which weights of a `rows × columns` matrix are kept: two of every four neighbours of a row.
///
/// One bit per weight, set where it is kept, least significant bit first, eight weights to a byte,
/// every row starting on a byte. The same bytes are the mask in memory, in the compressed file and in
/// the CPU kernels.
///
/// ```swift
/// let weight = Matrix(rows: 1, columns: 8, [0.1, -3, 2, 0.5, 4, 0, -1, 6])
/// let mask = try Mask24(keepingLargest: Matrix(rows: 1, columns: 8, weight.values.map(abs)))
/// mask.applied(to: weight).values  // [0, -3, 2, 0, 4, 0, 0, 6]
/// ```
public struct Mask24: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns, a multiple of 4.
  public let columns: Int
  /// The bits, row after row, ``rowBytes`` bytes each; the unused bits of a row's last byte are 0.
  public let bytes: [UInt8]

  /// The bytes of one row.
  public var rowBytes: Int { Mask24.rowBytes(columns: columns) }

  /// The bytes of one row of so many columns.
  static func rowBytes(columns: Int) -> Int { (columns + 7) / 8 }

  /// A mask of bits that keep two of every four.
  init(rows: Int, columns: Int, bytes: [UInt8]) {
    self.rows = rows
    self.columns = columns
    self.bytes = bytes
  }

  /// The mask that keeps the two largest scores of every four; of equal scores the lower column is kept.
  ///
  /// - Parameter scores: `rows × columns`; a NaN counts as larger or smaller than any number.
  /// - Throws: ``PruningError/columnsNotMultipleOfFour(columns:)``.
  public init(
    keepingLargest scores: Matrix, on compute: Compute = .automatic
  ) throws(PruningError) {
    self = try Mask24(rows: scores.rows, columns: scores.columns, on: compute) { row, bits in
      scores.values.withUnsafeBufferPointer { values in
        guard let base = values.baseAddress else { return }
        compute.kernels.select24(scores.columns, scores: base + row * scores.columns, mask: bits)
      }
    }
  }

  /// The mask that keeps the two largest `|w|` of every four, each multiplied by its column's factor if there are any.
  ///
  /// The products are float32; those of INT8 are taken of the codes, as all four of a group have the
  /// same scale. Of equal scores the lower column is kept.
  ///
  /// - Throws: ``PruningError`` when groups of four do not divide the columns, when there is not one
  ///   factor for each column, or when a weight or factor is not finite.
  public init(
    keepingLargestOf weight: StoredMatrix, scaledBy factors: [Float]?,
    on compute: Compute = .automatic
  ) throws(PruningError) {
    if let factors {
      guard factors.count == weight.columns else {
        throw .statisticsMismatch(columns: weight.columns, features: factors.count)
      }
      let bad = factors.count { !$0.isFinite }
      guard bad == 0 else { throw .nonFiniteInputs(count: bad) }
    }
    let bad = weight.countNotFinite(on: compute)
    guard bad == 0 else { throw .nonFiniteWeights(count: bad) }
    let rowBytes = weight.columns * weight.type.byteCount
    self = try Mask24(rows: weight.rows, columns: weight.columns, on: compute) { row, bits in
      guard let base = weight.bytes.bytes.baseAddress else { return }
      compute.kernels.select24(
        weight.columns, weight.type, base + row * rowBytes, norms: factors, mask: bits)
    }
  }

  /// A mask whose rows `select` writes, on all threads.
  private init(
    rows: Int, columns: Int, on compute: Compute,
    select: @Sendable (_ row: Int, _ bits: UnsafeMutablePointer<UInt8>) -> Void
  ) throws(PruningError) {
    guard columns % 4 == 0 else { throw .columnsNotMultipleOfFour(columns: columns) }
    let rowBytes = Mask24.rowBytes(columns: columns)
    self.rows = rows
    self.columns = columns
    bytes = [UInt8](unsafeUninitializedCapacity: rows * rowBytes) { buffer, count in
      count = rows * rowBytes
      guard let base = buffer.baseAddress, count > 0 else { return }
      nonisolated(unsafe) let bits = base
      Parallel.forEachRange(
        of: rows, size: max(1, 1 << 14 / max(1, columns)), threads: compute.threads
      ) { range in
        for row in range { select(row, bits + row * rowBytes) }
      }
    }
  }

  /// Whether the weight at `row` and `column` is kept.
  public func keeps(row: Int, column: Int) -> Bool {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns,
      "Mask24: [\(row), \(column)] is outside \(rows) × \(columns)")
    return bytes[row * rowBytes + column / 8] >> (column % 8) & 1 == 1
  }

  /// The pattern of the group of four that starts at column `4 · group`.
  public func pattern(row: Int, group: Int) -> Pattern24 {
    precondition(
      row >= 0 && row < rows && group >= 0 && group < columns / 4,
      "Mask24: group [\(row), \(group)] is outside \(rows) × \(columns / 4)")
    let nibble = bytes[row * rowBytes + group / 2] >> (group % 2 * 4) & 0xF
    guard let pattern = Pattern24(rawValue: nibble) else {
      preconditionFailure("Mask24: the nibble \(nibble) does not keep two of four")
    }
    return pattern
  }

  /// The number of groups of `weight` with a non-zero outside the mask; −0.0 is a zero.
  public func violations(in weight: Matrix) -> Int {
    checkShape(weight.rows, weight.columns)
    var groups = 0
    for row in 0..<rows {
      for group in 0..<columns / 4 {
        let start = row * columns + group * 4
        let nibble = bytes[row * rowBytes + group / 2] >> (group % 2 * 4)
        if (0..<4).contains(where: { nibble >> $0 & 1 == 0 && weight.values[start + $0] != 0 }) {
          groups += 1
        }
      }
    }
    return groups
  }

  /// The weight with +0.0 outside the mask; what is kept stays as it is, bit for bit.
  public func applied(to weight: Matrix, on compute: Compute = .automatic) -> Matrix {
    checkShape(weight.rows, weight.columns)
    return Matrix(rows: rows, columns: columns) { out in
      weight.values.withUnsafeBytes { values in
        apply(to: values, .float32, into: UnsafeMutableRawBufferPointer(out), on: compute)
      }
    }
  }

  /// The same for a weight as a checkpoint stores it; the scales of INT8 stay, too.
  public func applied(to weight: StoredMatrix, on compute: Compute = .automatic) -> StoredMatrix {
    checkShape(weight.rows, weight.columns)
    let bytes = ByteView(count: weight.bytes.count) { out in
      apply(to: weight.bytes.bytes, weight.type, into: out, on: compute)
    }
    if let grid = weight.grid { return StoredMatrix(codes: bytes, on: grid) }
    return StoredMatrix(rows: rows, columns: columns, type: weight.type, bytes: bytes)
  }

  private func apply(
    to weight: UnsafeRawBufferPointer, _ type: ScalarType,
    into out: UnsafeMutableRawBufferPointer, on compute: Compute
  ) {
    bytes.withUnsafeBufferPointer { bits in
      guard let weight = weight.baseAddress, let out = out.baseAddress,
        let mask = bits.baseAddress
      else { return }
      nonisolated(unsafe) let (from, to, bits) = (weight, out, mask)
      let stride = columns * type.byteCount
      Parallel.forEachRange(
        of: rows, size: max(1, 1 << 15 / max(1, columns)), threads: compute.threads
      ) { range in
        for row in range {
          compute.kernels.applyMask(
            columns, type, from + row * stride, mask: bits + row * rowBytes, into: to + row * stride
          )
        }
      }
    }
  }

  private func checkShape(_ rows: Int, _ columns: Int) {
    precondition(
      rows == self.rows && columns == self.columns,
      "Mask24: a mask of \(self.rows) × \(self.columns) for a weight of \(rows) × \(columns)")
  }
}

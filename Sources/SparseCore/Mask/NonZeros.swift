/// Where a 2:4 weight is not 0: at most two places in every group of four.
struct NonZeros: Sendable {
  /// A bit for each weight in the layout of ``Mask24``, set where it is neither +0.0 nor −0.0.
  let bits: [UInt8]
  private let rows: Int
  private let columns: Int

  /// The places of a weight whose columns are a multiple of 4.
  ///
  /// - Throws: ``PruningError/notTwoOfFour(groups:)`` where a group has more than two.
  init(of weight: Matrix) throws(PruningError) {
    (rows, columns) = (weight.rows, weight.columns)
    let rowBytes = Mask24.rowBytes(columns: columns)
    var bits = [UInt8](repeating: 0, count: rows * rowBytes)
    var violations = 0
    for row in 0..<rows {
      for group in 0..<columns / 4 {
        let start = row * columns + group * 4
        let nibble = (0..<4).reduce(UInt8(0)) { bits, place in
          weight.values[start + place] == 0 ? bits : bits | 1 << place
        }
        if nibble.nonzeroBitCount > 2 { violations += 1 }
        bits[row * rowBytes + group / 2] |= nibble << (group % 2 * 4)
      }
    }
    guard violations == 0 else { throw .notTwoOfFour(groups: violations) }
    self.bits = bits
  }

  /// The mask of these places; a group with fewer than two of them also keeps its first zeros.
  var mask: Mask24 {
    let rowBytes = Mask24.rowBytes(columns: columns)
    var bytes = bits
    for row in 0..<rows {
      for group in 0..<columns / 4 {
        let (place, shift) = (row * rowBytes + group / 2, group % 2 * 4)
        while (bytes[place] >> shift & 0xF).nonzeroBitCount < 2 {
          let nibble = bytes[place] >> shift & 0xF
          bytes[place] |= (~nibble & (nibble &+ 1)) << shift  // the lowest zero
        }
      }
    }
    return Mask24(rows: rows, columns: columns, bytes: bytes)
  }
}

extension Mask24 {
  /// The places where a 2:4 weight is not 0; a group with fewer than two of them also keeps its first zeros.
  ///
  /// - Throws: ``PruningError/columnsNotMultipleOfFour(columns:)``, or ``PruningError/notTwoOfFour(groups:)`` where
  ///   groups have more than two values that are not 0.
  public init(nonZerosOf weight: Matrix) throws(PruningError) {
    guard weight.columns % 4 == 0 else {
      throw .columnsNotMultipleOfFour(columns: weight.columns)
    }
    self = try NonZeros(of: weight).mask
  }
}

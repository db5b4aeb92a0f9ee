/// Which two of a group's four neighbouring weights are kept.
///
/// The raw value is the group's nibble of a ``Mask24``: bit `i` is set where weight `i` is kept.
/// Cases are in the order of their raw values.
public enum Pattern24: UInt8, Sendable, CaseIterable {
  /// Weights 0 and 1.
  case keep01 = 0b0011
  /// Weights 0 and 2.
  case keep02 = 0b0101
  /// Weights 1 and 2.
  case keep12 = 0b0110
  /// Weights 0 and 3.
  case keep03 = 0b1001
  /// Weights 1 and 3.
  case keep13 = 0b1010
  /// Weights 2 and 3.
  case keep23 = 0b1100

  /// The positions of the kept weights, ascending.
  public var kept: (Int, Int) {
    (rawValue.trailingZeroBitCount, 7 - rawValue.leadingZeroBitCount)
  }

  /// The group's index nibble `i0 | i1 << 2`, as sparse tensor cores take it.
  public var metadata: UInt8 { UInt8(kept.0 | kept.1 << 2) }
}

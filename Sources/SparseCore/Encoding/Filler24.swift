/// Which two places of a group are kept where fewer than two weights are not 0.
///
/// Two indices are stored for every group of four, so that a group with one non-zero or none also keeps
/// zeros. Which ones changes no product, but it changes bytes: each consumer has its own rule, and an
/// exact match of what it writes takes that rule.
///
/// A nibble has bit `i` set where weight `i` is meant, as in ``Pattern24``.
public struct Filler24: Sendable, Equatable {
  /// The pattern's nibble for each nibble of non-zeros; 0 where these are more than two.
  public let table: [UInt8]

  /// The pattern of a group whose non-zeros are the bits of `nibble`; nil where these are more than two.
  ///
  /// Two non-zeros are their own pattern.
  public func pattern(forNonZeros nibble: UInt8) -> Pattern24? {
    precondition(nibble < 16, "Filler24: a group has four weights, the non-zeros are \(nibble)")
    return Pattern24(rawValue: table[Int(nibble)])
  }

  /// The rule of `sparse-24-bitmask`, as compressed-tensors 0.9 to 0.14 wrote it on a CPU.
  public static let compressedTensors = Filler24(
    none: .keep23, first: .keep02, second: .keep13, third: .keep23, fourth: .keep23)

  /// The rule of PyTorch's `_semi_structured_conversions.py`, for CUTLASS on SM80.
  public static let pyTorch = Filler24(
    none: .keep23, first: .keep02, second: .keep12, third: .keep23, fourth: .keep23)

  /// The rule of cuSPARSELt, measured with 0.8.0 on an H100.
  public static let cuSPARSELt = Filler24(
    none: .keep23, first: .keep03, second: .keep13, third: .keep23, fourth: .keep23)

  /// A rule by what it keeps of a group without a non-zero, and of groups where only one weight is not 0.
  private init(
    none: Pattern24, first: Pattern24, second: Pattern24, third: Pattern24, fourth: Pattern24
  ) {
    var table = [UInt8](repeating: 0, count: 16)
    for pattern in Pattern24.allCases { table[Int(pattern.rawValue)] = pattern.rawValue }
    table[0b0000] = none.rawValue
    table[0b0001] = first.rawValue
    table[0b0010] = second.rawValue
    table[0b0100] = third.rawValue
    table[0b1000] = fourth.rawValue
    self.table = table
  }
}

internal import CSparseKernels

/// What `check24` found in stored values; a zero is +0.0 or −0.0.
package struct ValueCounts: Sendable, Equatable {
  /// Groups of four with more than two values that are not zero.
  package var groupsOverTwo = 0
  /// Groups of four with at most two values that are not zero, a NaN or an infinity among them.
  package var groupsNotFinite = 0
  /// Values that are +0.0 or −0.0.
  package var zeros = 0
  /// Values that are −0.0.
  package var negativeZeros = 0

  package init() {}

  package static func += (sum: inout ValueCounts, more: ValueCounts) {
    sum.groupsOverTwo += more.groupsOverTwo
    sum.groupsNotFinite += more.groupsNotFinite
    sum.zeros += more.zeros
    sum.negativeZeros += more.negativeZeros
  }
}

/// 2:4 selection, masks and checks. Mask bits: least significant first, 8 weights to a byte, set = kept.
///
/// Every count of values is a multiple of 4.
extension KernelSet {
  /// The mask of the two largest of each four scores; ties keep the lower index.
  package func select24(
    _ n: Int, scores: UnsafePointer<Float>, mask: UnsafeMutablePointer<UInt8>
  ) {
    precondition(n % 4 == 0, "select24: \(n) scores are not whole groups of 4")
    table.pointee.select_scores(n, scores, mask)
  }

  /// The mask by |wᵢ|·normsᵢ, or by |wᵢ| without norms, of `n` stored weights.
  package func select24(
    _ n: Int, _ type: ScalarType, _ weight: UnsafeRawPointer, norms: UnsafePointer<Float>?,
    mask: UnsafeMutablePointer<UInt8>
  ) {
    precondition(n % 4 == 0, "select24: \(n) weights are not whole groups of 4")
    table.pointee.select_stored(type.code, n, weight, norms, mask)
  }

  /// The stored weights with +0.0 where the mask has no bit, the others bit for bit; may work in place.
  package func applyMask(
    _ n: Int, _ type: ScalarType, _ weight: UnsafeRawPointer, mask: UnsafePointer<UInt8>,
    into out: UnsafeMutableRawPointer
  ) {
    table.pointee.apply_mask(Int32(type.byteCount), n, weight, mask, out)
  }

  /// Keeps the two largest magnitudes of each four stored weights, in one pass; may work in place.
  package func magnitude24(
    _ n: Int, _ type: ScalarType, _ weight: UnsafeRawPointer, into out: UnsafeMutableRawPointer,
    mask: UnsafeMutablePointer<UInt8>?
  ) {
    precondition(n % 4 == 0, "magnitude24: \(n) weights are not whole groups of 4")
    table.pointee.magnitude(type.code, n, weight, out, mask)
  }

  /// What `n` stored values hold.
  package func check24(_ n: Int, _ type: ScalarType, _ values: UnsafeRawPointer) -> ValueCounts {
    precondition(n % 4 == 0, "check24: \(n) values are not whole groups of 4")
    var found = sk_counts()
    table.pointee.check24(type.code, n, values, &found)
    var result = ValueCounts()
    result.groupsOverTwo = Int(found.over_two)
    result.groupsNotFinite = Int(found.not_finite)
    result.zeros = Int(found.zeros)
    result.negativeZeros = Int(found.negative_zeros)
    return result
  }

  /// Adds to six counts the groups with exactly two non-zeros, by which two: the order of the nibbles 3, 5, 6, 9, 10, 12.
  package func addPatterns24(
    _ n: Int, _ type: ScalarType, _ values: UnsafeRawPointer, to counts: UnsafeMutablePointer<Int>
  ) {
    precondition(n % 4 == 0, "addPatterns24: \(n) values are not whole groups of 4")
    counts.withMemoryRebound(to: Int64.self, capacity: 6) {
      table.pointee.patterns24(type.code, n, values, $0)
    }
  }

  /// The kept half of `n` stored values that are 2:4, +0.0 for each kept zero, and their mask.
  ///
  /// - Parameter filler: for each nibble of non-zeros that of the two places kept.
  /// - Returns: the number of groups that are not 2:4; where there are any, nothing written is of use.
  package func compress24(
    _ n: Int, _ type: ScalarType, _ weight: UnsafeRawPointer, filler: [UInt8],
    values: UnsafeMutableRawPointer, mask: UnsafeMutablePointer<UInt8>
  ) -> Int {
    precondition(n % 4 == 0, "compress24: \(n) values are not whole groups of 4")
    precondition(filler.count == 16, "compress24: \(filler.count) fillers")
    return Int(table.pointee.compress24(type.code, n, weight, filler, values, mask))
  }

  /// The `n` values again, +0.0 where the mask has no bit.
  package func expand24(
    _ n: Int, _ type: ScalarType, _ values: UnsafeRawPointer, mask: UnsafePointer<UInt8>,
    into out: UnsafeMutableRawPointer
  ) {
    precondition(n % 4 == 0, "expand24: \(n) values are not whole groups of 4")
    table.pointee.expand24(Int32(type.byteCount), n, values, mask, out)
  }

  /// How many of `n` stored values are NaN or infinite.
  package func countNotFinite(_ n: Int, _ type: ScalarType, _ values: UnsafeRawPointer) -> Int {
    Int(table.pointee.count_not_finite(type.code, n, values))
  }
}

/// A 64-bit fingerprint of some bytes: XXH64 with seed 0, the value that `xxhsum -H1` prints.
///
/// It tells contents apart, not friend from foe: it is no cryptographic hash. About 10 GB/s.
package func fingerprint64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  guard let base = bytes.baseAddress else {
    var nothing: UInt8 = 0
    return sk_fingerprint(0, &nothing)
  }
  return sk_fingerprint(bytes.count, base)
}

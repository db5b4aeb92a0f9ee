import SparseCore
import TestSupport
import Testing

@Suite struct CheckTests {
  static let lengths = [0, 4, 8, 60, 64, 68, 124, 128, 1000]

  /// Values of which many are zero, some −0.0 and a few not finite.
  private func sparse(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    let choices: [Float] = [
      0, 0, 0, 0, -0.0, 1, -1, 3, 0.5, .infinity, -.infinity, .nan, 1, 0, 0, 0,
    ]
    return (0..<count).map { _ in choices.randomElement(using: &generator) ?? 0 }
  }

  private func reference(_ values: [Float]) -> (ValueCounts, patterns: [Int], notFinite: Int) {
    var counts = ValueCounts()
    var patterns = [Int](repeating: 0, count: 6)
    for start in stride(from: 0, to: values.count, by: 4) {
      let group = values[start..<start + 4]
      let places = group.indices.filter { group[$0] != 0 }.map { $0 - start }
      if places.count > 2 {
        counts.groupsOverTwo += 1
      } else if group.contains(where: { !$0.isFinite }) {
        counts.groupsNotFinite += 1
      }
      counts.zeros += 4 - places.count
      counts.negativeZeros += group.filter { $0 == 0 && $0.sign == .minus }.count
      let order = [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
      if let pattern = order.firstIndex(of: places) { patterns[pattern] += 1 }
    }
    return (counts, patterns, values.filter { !$0.isFinite }.count)
  }

  @Test(arguments: KernelSet.available, ScalarType.floatingPoint)
  func countsMatchReference(kernels: KernelSet, type: ScalarType) {
    for count in Self.lengths {
      for seed: UInt64 in 0..<4 {
        let values = sparse(count, seed: seed)
        let bytes = Matrix(rows: 1, columns: count, values).storedBytes(as: type)
        let expected = reference(values)
        #expect(kernels.check24(count, type, bytes) == expected.0, "\(count), seed \(seed)")
        #expect(
          patterns(kernels, count, type, bytes) == expected.patterns, "\(count), seed \(seed)")
        #expect(kernels.countNotFinite(count, type, bytes) == expected.notFinite)
      }
    }
  }

  private func patterns(
    _ kernels: KernelSet, _ count: Int, _ type: ScalarType, _ bytes: [UInt8]
  ) -> [Int] {
    // What is there is added to.
    var counts = Array(0..<6)
    kernels.addPatterns24(count, type, bytes, to: &counts)
    return zip(counts, 0..<6).map { $0 - $1 }
  }

  /// The smallest and largest numbers are finite and not zero; what looks like them is.
  @Test(arguments: KernelSet.available)
  func edgesOfTheFormatsAreToldApart(kernels: KernelSet) {
    let half = kernels.check24(4, .float16, storedBytes([0x0001, 0x7BFF, 0xFBFF, 0x8000]))
    #expect(half.groupsOverTwo == 1 && half.groupsNotFinite == 0 && half.negativeZeros == 1)
    let brain = kernels.check24(4, .bfloat16, storedBytes([0x0001, 0x7F7F, 0xFF7F, 0x0000]))
    #expect(brain.groupsOverTwo == 1 && brain.groupsNotFinite == 0 && brain.zeros == 1)
    #expect(
      kernels.countNotFinite(4, .bfloat16, storedBytes([0x7F80, 0xFF80, 0x7F81, 0xFFFF])) == 4)
    #expect(
      kernels.countNotFinite(4, .float16, storedBytes([0x7C00, 0xFC00, 0x7C01, 0xFFFF])) == 4)
  }

  @Test(arguments: KernelSet.available, lengths)
  func signedBytesAreCounted(kernels: KernelSet, count: Int) {
    let values = sparse(count, seed: 9).map { $0.isFinite ? $0 * 2 : -128 }
    let expected = reference(values)
    let bytes = values.map { UInt8(bitPattern: Int8($0)) }
    let found = kernels.check24(count, .int8, bytes)
    #expect(found.groupsOverTwo == expected.0.groupsOverTwo && found.zeros == expected.0.zeros)
    #expect(found.groupsNotFinite == 0 && found.negativeZeros == 0)
    #expect(patterns(kernels, count, .int8, bytes) == expected.patterns)
  }
}

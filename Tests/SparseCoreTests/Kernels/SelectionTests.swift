import SparseCore
import TestSupport
import Testing

@Suite struct SelectionTests {
  static let lengths = [0, 4, 8, 12, 16, 20, 28, 32, 36, 60, 64, 68, 128, 132, 1000]

  /// A stable sort by falling score, of which the first two stay; NaN is not ordered and does not come here.
  private func referenceMask(_ scores: [Float]) -> [UInt8] {
    var mask = [UInt8](repeating: 0, count: (scores.count + 7) / 8)
    for start in stride(from: 0, to: scores.count, by: 4) {
      let order = (start..<start + 4).sorted {
        scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1)
      }
      for index in order.prefix(2) { mask[index / 8] |= 1 << UInt8(index % 8) }
    }
    return mask
  }

  /// Few distinct values, so that ties of every kind come up; zeros of both signs among them.
  private func tiedFloats(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    let choices: [Float] = [
      0, -0.0, 1, -1, 2, 0.5, -2, .infinity, Float.leastNonzeroMagnitude * 100,
    ]
    return (0..<count).map { _ in choices.randomElement(using: &generator) ?? 0 }
  }

  private func mask(_ scores: [Float], _ kernels: KernelSet) -> [UInt8] {
    var mask = [UInt8](repeating: 0xEE, count: (scores.count + 7) / 8)
    kernels.select24(scores.count, scores: scores, mask: &mask)
    return mask
  }

  @Test(arguments: KernelSet.available, lengths)
  func keepsTheTwoLargestScores(kernels: KernelSet, count: Int) {
    for seed: UInt64 in 0..<8 {
      for scores in [randomFloats(count, seed: seed), tiedFloats(count, seed: seed)] {
        #expect(mask(scores, kernels) == referenceMask(scores), "seed \(seed)")
      }
    }
  }

  /// All orders of all groups of four values out of six, ties and all.
  @Test(arguments: KernelSet.available)
  func tiesKeepTheLowerColumn(kernels: KernelSet) {
    let values: [Float] = [0, -0.0, 1, 2, -1, .infinity]
    var scores: [Float] = []
    for i in 0..<6 * 6 * 6 * 6 {
      scores += [values[i % 6], values[i / 6 % 6], values[i / 36 % 6], values[i / 216]]
    }
    #expect(mask(scores, kernels) == referenceMask(scores))
  }

  @Test(arguments: KernelSet.available)
  func nanScoresStillKeepTwoOfFour(kernels: KernelSet) {
    let patterns: [UInt32] = [0x7FC0_0000, 0xFFC0_0000, 0xFFFF_FFFF, 0x7F80_0001, 0, 0x3F80_0000]
    let values = patterns.map { Float(bitPattern: $0) }
    for i in 0..<6 * 6 * 6 * 6 {
      let group = [values[i % 6], values[i / 6 % 6], values[i / 36 % 6], values[i / 216]]
      #expect(mask(group, kernels)[0].nonzeroBitCount == 2)
    }
  }

  /// INT8 holds the values in steps of 1/140, cut off at both ends.
  private func stored(_ values: [Float], _ type: ScalarType) -> [UInt8] {
    if type == .int8 {
      return values.map { UInt8(bitPattern: Int8(min(max($0 * 140, -128), 127))) }
    }
    return Matrix(rows: 1, columns: values.count, values).storedBytes(as: type)
  }

  private func loaded(_ bytes: [UInt8], _ type: ScalarType) -> [Float] {
    if type == .int8 { return bytes.map { Float(Int8(bitPattern: $0)) } }
    return Matrix(
      StoredMatrix(
        rows: 1, columns: bytes.count / type.byteCount, type: type, bytes: ByteView(copying: bytes))
    ).values
  }

  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func storedWeightsAreScoredByMagnitudeTimesNorm(kernels: KernelSet, type: ScalarType) {
    for count in Self.lengths {
      for values in [randomFloats(count, seed: 11), tiedFloats(count, seed: 12)] {
        let bytes = stored(values, type)
        let weights = loaded(bytes, type)
        let norms = randomFloats(count, seed: 13).map { abs($0) + 0.25 }
        var mask = [UInt8](repeating: 0xEE, count: (count + 7) / 8)
        kernels.select24(count, type, bytes, norms: norms, mask: &mask)
        #expect(mask == referenceMask(zip(weights, norms).map { abs($0) * $1 }), "\(count)")
        kernels.select24(count, type, bytes, norms: nil, mask: &mask)
        #expect(mask == referenceMask(weights.map(abs)), "\(count)")
      }
    }
  }

  /// Any bits at all, NaN, infinity and −0.0 included: what stays is bit for bit, what goes is +0.0.
  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func masksZeroExactlyWhatIsNotKept(kernels: KernelSet, type: ScalarType) {
    for count in Self.lengths {
      var generator = SplitMix64(seed: UInt64(count))
      let bytes = (0..<count * type.byteCount).map { _ in
        UInt8(truncatingIfNeeded: generator.next())
      }
      let mask = (0..<(count + 7) / 8).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      var out = [UInt8](repeating: 0xEE, count: bytes.count)
      kernels.applyMask(count, type, bytes, mask: mask, into: &out)
      var expected = bytes
      for index in 0..<count where mask[index / 8] >> UInt8(index % 8) & 1 == 0 {
        for byte in 0..<type.byteCount { expected[index * type.byteCount + byte] = 0 }
      }
      #expect(out == expected, "\(count)")
    }
  }

  @Test(arguments: KernelSet.available, ScalarType.allCases)
  func magnitudeIsSelectionThenMask(kernels: KernelSet, type: ScalarType) {
    for count in Self.lengths {
      var generator = SplitMix64(seed: UInt64(count))
      let random = (0..<count * type.byteCount).map { _ in
        UInt8(truncatingIfNeeded: generator.next())
      }
      for bytes in [random, stored(tiedFloats(count, seed: 14), type)] {
        var mask = [UInt8](repeating: 0xEE, count: (count + 7) / 8)
        kernels.select24(count, type, bytes, norms: nil, mask: &mask)
        for index in 0..<count / 4 {
          let nibble = mask[index / 2] >> UInt8(index % 2 * 4) & 15
          #expect(nibble.nonzeroBitCount == 2)
        }
        var expected = bytes
        kernels.applyMask(count, type, bytes, mask: mask, into: &expected)
        var out = [UInt8](repeating: 0xEE, count: bytes.count)
        var outMask = [UInt8](repeating: 0xEE, count: mask.count)
        kernels.magnitude24(count, type, bytes, into: &out, mask: &outMask)
        #expect(out == expected, "\(count)")
        #expect(outMask == mask, "\(count)")
        kernels.magnitude24(count, type, bytes, into: &out, mask: nil)
        #expect(out == expected, "\(count)")
        var inPlace = bytes
        inPlace.withUnsafeMutableBytes {
          guard let base = $0.baseAddress else { return }
          kernels.magnitude24(count, type, base, into: base, mask: nil)
        }
        #expect(inPlace == expected, "\(count)")
      }
    }
  }
}

internal import SparseCore
internal import TestSupport
internal import Testing

/// Integer products against sums in 64 bits, one product after another.
@Suite struct Int8ProductTests {
  private func codes(_ count: Int, from least: Int8, seed: UInt64) -> [Int8] {
    var random = SplitMix64(seed: seed)
    // Ends of the range are frequent.
    return (0..<count).map { _ in
      switch random.next() % 8 {
      case 0: least
      case 1: 127
      default: Int8.random(in: least...127, using: &random)
      }
    }
  }

  /// What a kernel set makes of `tokens` rows of `x` and `outputs` rows of `weight`.
  private func product(
    _ x: [Int8], _ weight: [Int8], tokens: Int, inputs: Int, outputs: Int, kernels: KernelSet
  ) -> [Int32] {
    let quads = (inputs + 3) / 4
    let stride = 4 * quads + 5  // the rows do not start on words
    // What follows an odd end is multiplied by 0.
    var rows = [Int8](repeating: 99, count: tokens * stride)
    for token in 0..<tokens {
      rows.replaceSubrange(
        token * stride..<token * stride + inputs, with: x[token * inputs..<(token + 1) * inputs])
    }
    let panelStride = quads * 4 * KernelSet.panelWidth
    var panels = [UInt8](repeating: 1, count: KernelSet.panels(for: outputs) * panelStride)
    kernels.packInt8(
      outputs: outputs, inputs: inputs, weight, stride: inputs, into: &panels,
      panelStride: panelStride)
    let outStride = outputs + 3
    var out = [Int32](repeating: 7, count: tokens * outStride)
    kernels.gemmInt8(
      tokens: tokens, outputs: outputs, quads: quads, rows, stride: stride, panels: panels,
      panelStride: panelStride, into: &out, outStride: outStride)
    for token in 0..<tokens {
      #expect(out[token * outStride + outputs..<(token + 1) * outStride].allSatisfy { $0 == 7 })
    }
    return (0..<tokens).flatMap { out[$0 * outStride..<$0 * outStride + outputs] }
  }

  @Test(
    arguments: KernelSet.available,
    [
      (0, 4, 3), (1, 0, 5), (1, 1, 1), (3, 7, 50), (8, 64, 48), (9, 66, 97), (15, 130, 24),
      (6, 1024, 9), (2, 2500, 49),
    ])
  func sumsAreExact(kernels: KernelSet, shape: (Int, Int, Int)) {
    let (tokens, inputs, outputs) = shape
    let x = codes(tokens * inputs, from: -127, seed: 1)
    let weight = codes(outputs * inputs, from: -128, seed: 2)
    let exact = (0..<tokens * outputs).map { place in
      (0..<inputs).reduce(0) { sum, input in
        sum + Int(x[place / outputs * inputs + input])
          * Int(weight[place % outputs * inputs + input])
      }
    }
    let got = product(
      x, weight, tokens: tokens, inputs: inputs, outputs: outputs, kernels: kernels)
    #expect(got.map(Int.init) == exact)
  }

  /// As many inputs as are allowed, all of them as large as they can be.
  @Test(arguments: KernelSet.available, [(Int8(127), Int8(-128)), (127, 127), (-127, -128)])
  func theLargestSumsFit(kernels: KernelSet, values: (Int8, Int8)) {
    let count = KernelSet.exactInputs
    let got = product(
      [Int8](repeating: values.0, count: count), [Int8](repeating: values.1, count: count),
      tokens: 1, inputs: count, outputs: 1, kernels: kernels)
    #expect(got.map(Int.init) == [Int(values.0) * Int(values.1) * count])
  }

  @Test(arguments: KernelSet.available, [0, 1, 15, 16, 17, 50])
  func sumsAreScaledAndAdded(kernels: KernelSet, count: Int) {
    let sums = (0..<count).map { Int32($0 * 1001 - 7000) }
    let scales = randomFloats(count, seed: 3)
    var out = [Float](repeating: .nan, count: count)
    kernels.scale(count, sums, factor: 0.5, scales: scales, accumulate: false, into: &out)
    let once = zip(sums, scales).map { 0.5 * ($1 * Float($0)) }
    #expect(out == once)
    kernels.scale(count, sums, factor: 0.5, scales: scales, accumulate: true, into: &out)
    #expect(out == once.map { 2 * $0 })
  }
}

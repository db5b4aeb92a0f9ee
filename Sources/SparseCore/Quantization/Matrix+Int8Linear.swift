/// `tokens × inputs` times (`outputs × inputs`)ᵀ with both sides in INT8: the product `tokens × outputs`.
///
/// Every row of `x` is rounded to INT8 on a scale of its own, as W8A8 does. Products are summed as
/// integers, exactly, over all inputs that share a scale, then multiplied by both scales: with kernels of
/// one set, a value's bits depend on its row of activations and its row of weights alone.
public func linear(
  _ x: Matrix, _ weight: PackedInt8Weight, on compute: Compute = .automatic
) -> Matrix {
  checkInputs(x, weight.inputs)
  let rows = Int8Rows(x, on: compute)
  return Matrix(rows: x.rows, columns: weight.outputs) { out in
    let plan = BlockPlan(tokens: x.rows, outputs: weight.outputs, threads: compute.threads)
    nonisolated(unsafe) let out = out.start
    Parallel.forEach(plan.count, threads: compute.threads) { index in
      let (tokens, outputs) = plan[index]
      Int8Product(
        x: rows, weight: weight, out: out, outStride: weight.outputs, kernels: compute.kernels
      ).run(tokens: tokens, outputs: outputs)
    }
  }
}

/// A product on one thread, in blocks whose sums stay in the cache until they are scaled.
struct Int8Product {
  let x: Int8Rows
  let weight: PackedInt8Weight
  /// Where the first row's product with the first output goes.
  let out: UnsafeMutablePointer<Float>
  let outStride: Int
  let kernels: KernelSet

  /// Rows of activations for which the panels of a block are read once.
  private static let tokenBlock = 64
  /// Bytes of the panels of a block, which stay in a second-level cache while all activations pass by.
  private static let panelBytes = 1 << 19

  /// The outputs of a block.
  static func outputBlock(panelStride: Int) -> Int {
    KernelSet.panelWidth * max(1, panelBytes / max(1, panelStride))
  }

  func run(tokens: Range<Int>, outputs: Range<Int>) {
    let block = Self.outputBlock(panelStride: weight.panelStride)
    AlignedFloats.withScratch(count: Self.tokenBlock * block) { scratch in
      let sums = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Int32.self)
      for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: block) {
        let outputs = first..<min(first + block, outputs.upperBound)
        for first in stride(from: tokens.lowerBound, to: tokens.upperBound, by: Self.tokenBlock) {
          let tokens = first..<min(first + Self.tokenBlock, tokens.upperBound)
          run(tokens, outputs, sums)
        }
      }
    }
  }

  private func run(_ tokens: Range<Int>, _ outputs: Range<Int>, _ sums: UnsafeMutablePointer<Int32>)
  {
    let panels = weight.panels + outputs.lowerBound / KernelSet.panelWidth * weight.panelStride
    for (index, segment) in weight.segments.enumerated() {
      kernels.gemmInt8(
        tokens: tokens.count, outputs: outputs.count, quads: segment.quads,
        x.codes + tokens.lowerBound * x.stride + segment.inputs.lowerBound, stride: x.stride,
        panels: panels + segment.offset, panelStride: weight.panelStride, into: sums,
        outStride: outputs.count)
      weight.scales.withUnsafeBufferPointer { scales in
        for (place, token) in tokens.enumerated() {
          kernels.scale(
            outputs.count, sums + place * outputs.count, factor: x.scales[token],
            scales: scales.start + segment.firstScale + outputs.lowerBound, accumulate: index > 0,
            into: out + token * outStride + outputs.lowerBound)
        }
      }
    }
  }
}

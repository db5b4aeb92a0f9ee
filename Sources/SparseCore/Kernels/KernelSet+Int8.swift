internal import CSparseKernels

/// Numbers as signed bytes times a scale.
extension KernelSet {
  /// The largest magnitude of `n` values, 0 of none; a NaN where there is one.
  package func maxMagnitude(_ n: Int, _ x: UnsafePointer<Float>) -> Float {
    table.pointee.max_abs(n, x)
  }

  /// x / scale rounded to the nearest whole number, ties to even, and clamped to −127…127.
  package func quantize(
    _ n: Int, _ x: UnsafePointer<Float>, scale: Float, into codes: UnsafeMutablePointer<Int8>
  ) {
    table.pointee.quantize(n, x, scale, codes)
  }

  /// Codes times the scale.
  package func dequantize(
    _ n: Int, _ codes: UnsafePointer<Int8>, scale: Float, into out: UnsafeMutablePointer<Float>
  ) {
    table.pointee.dequantize(n, codes, scale, out)
  }

  /// Weight rows of signed bytes to panels [⌈inputs / 4⌉][48 outputs][4], each of `panelStride` bytes.
  package func packInt8(
    outputs: Int, inputs: Int, _ weight: UnsafePointer<Int8>, stride: Int,
    into panels: UnsafeMutablePointer<UInt8>, panelStride: Int
  ) {
    table.pointee.pack_i8(outputs, inputs, weight, stride, panels, panelStride)
  }

  /// The exact products of 4 · `quads` signed bytes of each row of `x` with each output of panels.
  package func gemmInt8(
    tokens: Int, outputs: Int, quads: Int, _ x: UnsafePointer<Int8>, stride: Int,
    panels: UnsafePointer<UInt8>, panelStride: Int, into out: UnsafeMutablePointer<Int32>,
    outStride: Int
  ) {
    precondition(4 * quads <= KernelSet.exactInputs, "gemmInt8: \(4 * quads) inputs")
    table.pointee.gemm_i8(
      tokens, outputs, quads, x, stride, panels, panelStride, out, outStride)
  }

  /// Inputs whose products of signed bytes, −128 · 127 at most, always fit 32 bits.
  package static let exactInputs = 1 << 17

  /// out ← (accumulate ? out : 0) + factor · scales · sums.
  package func scale(
    _ n: Int, _ sums: UnsafePointer<Int32>, factor: Float, scales: UnsafePointer<Float>,
    accumulate: Bool, into out: UnsafeMutablePointer<Float>
  ) {
    table.pointee.scale_sums(n, sums, factor, scales, accumulate ? 1 : 0, out)
  }
}

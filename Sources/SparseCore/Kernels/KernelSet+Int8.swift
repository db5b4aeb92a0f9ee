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
}

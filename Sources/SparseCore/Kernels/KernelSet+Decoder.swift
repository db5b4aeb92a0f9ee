internal import CSparseKernels

/// The element-wise maths of a decoder and its attention.
extension KernelSet {
  /// x / √(mean of squares + ε) · weight; may work in place.
  package func rmsNorm(
    _ n: Int, _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, epsilon: Float,
    into out: UnsafeMutablePointer<Float>
  ) {
    table.pointee.rms_norm(n, x, weight, epsilon, out)
  }

  /// gate / (1 + e^−gate) · up; may work in place on either.
  package func siluMultiply(
    _ n: Int, gate: UnsafePointer<Float>, up: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>
  ) {
    table.pointee.silu_multiply(n, gate, up, out)
  }

  /// eˣ within 2 ulp; may work in place.
  package func exp(_ n: Int, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    table.pointee.exp(n, x, out)
  }

  /// Probabilities from logits, in place.
  package func softmax(_ n: Int, _ x: UnsafeMutablePointer<Float>) {
    table.pointee.softmax(n, x)
  }

  /// Takes `n` more values into the maximum and the sum of e^(x − maximum).
  package func logSumExp(
    _ n: Int, _ x: UnsafePointer<Float>, maximum: inout Float, sum: inout Double
  ) {
    table.pointee.log_sum_exp(n, x, &maximum, &sum)
  }

  /// The same for finite values, and takes their differences to `y`, weighted by e^(x − maximum), into another sum.
  package func logSumExp(
    _ n: Int, _ x: UnsafePointer<Float>, minus y: UnsafePointer<Float>, maximum: inout Float,
    sum: inout Double, difference: inout Double
  ) {
    table.pointee.log_sum_exp_difference(n, x, y, &maximum, &sum, &difference)
  }

  /// Rotary embedding of heads that lie one after another, in place; half of a head turns against the other half.
  package func rotate(
    heads: Int, width: Int, cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>,
    _ x: UnsafeMutablePointer<Float>
  ) {
    precondition(width % 2 == 0, "rotate: head width \(width) is odd")
    table.pointee.rotate(heads, width, cosines, sines, x)
  }

  /// Queries per call of `attend`.
  package static let queryBlock = Int(SK_QUERY_BLOCK)

  /// Causal attention of one head for a block of queries; query r sees the first `visible + r` keys.
  package func attend(
    rows: Int, visible: Int, width: Int, queries: UnsafePointer<Float>, queryStride: Int,
    keys: UnsafePointer<Float>, values: UnsafePointer<Float>, valuePanelStride: Int, scale: Float,
    scratch: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>, outStride: Int
  ) {
    precondition(
      rows <= KernelSet.queryBlock, "attend: \(rows) queries, at most \(KernelSet.queryBlock)")
    table.pointee.attend(
      rows, visible, width, queries, queryStride, keys, values, valuePanelStride, scale, scratch,
      out, outStride)
  }

  /// One query of each of some heads that share `count` keys and values.
  package func attendOne(
    heads: Int, width: Int, count: Int, queries: UnsafePointer<Float>, keys: UnsafePointer<Float>,
    keyStride: Int, values: UnsafePointer<Float>, valueStride: Int, scale: Float,
    scratch: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    table.pointee.attend_one(
      heads, width, count, queries, keys, keyStride, values, valueStride, scale, scratch, out)
  }
}

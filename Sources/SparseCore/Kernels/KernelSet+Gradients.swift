internal import CSparseKernels

/// The way back through a decoder's maths.
extension KernelSet {
  /// out ← out + aᵀb for `rows` × `columns` of at most 48 each; b is a panel, a has rows `stride` apart.
  package func outerProduct(
    tokens: Int, rows: Int, columns: Int, _ a: UnsafePointer<Float>, stride: Int,
    _ b: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, outStride: Int
  ) {
    precondition(
      rows <= KernelSet.panelWidth && columns <= KernelSet.panelWidth,
      "outerProduct: \(rows) × \(columns), at most \(KernelSet.panelWidth) each")
    table.pointee.outer_product(tokens, rows, columns, a, stride, b, out, outStride)
  }

  /// Adds what follows from the gradient of a row that RMS normalisation gave to those of its input and weight.
  package func rmsNormBackward(
    _ n: Int, _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, epsilon: Float,
    gradient: UnsafePointer<Float>, xGradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    table.pointee.rms_norm_backward(
      n, x, weight, epsilon, gradient, xGradient, weightGradient)
  }

  /// Puts into `gate` and `up` their gradients, which follow from that of silu(gate) · up.
  package func siluMultiplyBackward(
    _ n: Int, gate: UnsafeMutablePointer<Float>, up: UnsafeMutablePointer<Float>,
    gradient: UnsafePointer<Float>
  ) {
    table.pointee.silu_multiply_backward(n, gate, up, gradient)
  }

  /// x ← factor · e^(x − maximum), less the same of `y` where there is one.
  package func softmaxDifference(
    _ n: Int, _ x: UnsafeMutablePointer<Float>, maximum: Float, factor: Float,
    minus y: UnsafePointer<Float>?, maximum yMaximum: Float = 0, factor yFactor: Float = 0
  ) {
    table.pointee.softmax_difference(n, x, maximum, factor, y, yMaximum, yFactor)
  }

  /// The floats that ``attendBackward`` works in.
  package static func attendBackwardScratch(rows: Int, keys: Int, width: Int) -> Int {
    2 * rows * (panels(for: keys) + panels(for: width)) * panelWidth
  }

  /// Gradients of queries, and additions to those of keys and values, for a block of queries of one head.
  package func attendBackward(
    rows: Int, visible: Int, width: Int, queries: UnsafePointer<Float>,
    gradient: UnsafePointer<Float>, queryStride: Int, keys: UnsafePointer<Float>,
    keyColumns: UnsafePointer<Float>, values: UnsafePointer<Float>, keyPanelStride: Int,
    scale: Float, scratch: UnsafeMutablePointer<Float>,
    queryGradient: UnsafeMutablePointer<Float>, keyGradient: UnsafeMutablePointer<Float>,
    valueGradient: UnsafeMutablePointer<Float>, keyStride: Int
  ) {
    table.pointee.attend_backward(
      rows, visible, width, queries, gradient, queryStride, keys, keyColumns, values,
      keyPanelStride, scale, scratch, queryGradient, keyGradient, valueGradient, keyStride)
  }
}

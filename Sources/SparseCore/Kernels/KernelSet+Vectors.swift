internal import CSparseKernels

extension ScalarType {
  var code: sk_type {
    switch self {
    case .float32: sk_f32
    case .float16: sk_f16
    case .bfloat16: sk_bf16
    case .int8: sk_i8
    }
  }
}

/// Conversions, dot products and sums: thin covers of the C functions, whose header says what each does.
extension KernelSet {
  /// `n` stored values to float32; signed bytes as they are, without a scale.
  package func convert(
    _ n: Int, _ type: ScalarType, _ from: UnsafeRawPointer, to: UnsafeMutablePointer<Float>
  ) {
    table.pointee.to_float(type.code, n, from, to)
  }

  /// `n` float32 values to stored ones of a floating-point type, rounded to nearest, ties to even.
  package func convert(
    _ n: Int, _ from: UnsafePointer<Float>, to: UnsafeMutableRawPointer, _ type: ScalarType
  ) {
    precondition(type != .int8, "convert: INT8 needs scales")
    table.pointee.from_float(type.code, n, from, to)
  }

  /// Σ xᵢyᵢ.
  package func dot(_ n: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>) -> Float {
    table.pointee.dot(n, x, y)
  }

  /// y ← y + a·x.
  package func axpy(
    _ n: Int, _ a: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    table.pointee.axpy(n, a, x, y)
  }

  /// y ← a·x + b·y.
  package func scaledAdd(
    _ n: Int, _ a: Float, _ x: UnsafePointer<Float>, _ b: Float, _ y: UnsafeMutablePointer<Float>
  ) {
    table.pointee.scaled_add(n, a, x, b, y)
  }

  /// sums[j] ← sums[j] + Σᵢ x[i][j]², in float64.
  package func sumSquares(
    rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride: Int,
    into sums: UnsafeMutablePointer<Double>
  ) {
    table.pointee.sum_squares(rows, columns, x, stride, sums)
  }

  /// maxima[j] ← the larger one of maxima[j] and |x[i][j]| over all rows; a NaN changes nothing.
  package func maxMagnitudes(
    rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride: Int,
    into maxima: UnsafeMutablePointer<Float>
  ) {
    table.pointee.max_magnitudes(rows, columns, x, stride, maxima)
  }
}

/// Activations in INT8, each row on a scale of its own: max|x| / 127, so that its largest value is ±127.
///
/// This is the dynamic, symmetric rounding per token that vLLM's W8A8 does. A row of zeros has the
/// scale 1; of a row that is not finite neither scale nor codes mean anything, but products with
/// the scale are not finite either.
struct Int8Rows {
  let rows: Int
  let scales: [Float]
  /// Bytes from one row to the next, whole cache lines: its codes, then at least three zeros.
  let stride: Int
  private let storage: AlignedFloats

  /// The codes, valid as long as a copy of this value.
  var codes: UnsafePointer<Int8> { UnsafePointer(Self.codes(storage)) }

  /// Rounds every row half to even.
  init(_ x: Matrix, on compute: Compute) {
    let stride = (x.columns + 3 + 63) / 64 * 64
    let storage = AlignedFloats(count: x.rows * stride / 4)
    rows = x.rows
    self.stride = stride
    self.storage = storage
    scales = [Float](unsafeUninitializedCapacity: x.rows) { buffer, count in
      count = x.rows
      x.values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let (from, scales) = (values.start, buffer.start)
        Parallel.forEachRange(
          of: x.rows, size: max(1, 1 << 15 / max(1, x.columns)), threads: compute.threads
        ) { range in
          for row in range {
            let values = from + row * x.columns
            let codes = Self.codes(storage) + row * stride
            let most = compute.kernels.maxMagnitude(x.columns, values)
            let scale = most == 0 ? 1 : max(most / 127, .leastNormalMagnitude)
            compute.kernels.quantize(x.columns, values, scale: scale, into: codes)
            (codes + x.columns).update(repeating: 0, count: stride - x.columns)
            scales[row] = most.isNaN ? .nan : scale
          }
        }
      }
    }
  }

  private static func codes(_ storage: AlignedFloats) -> UnsafeMutablePointer<Int8> {
    UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: Int8.self)
  }
}

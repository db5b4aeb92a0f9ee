/// A weight ready for matrix products: float32 panels of [inputs][48 outputs] on cache lines of their own.
///
/// Packing reads the weight once, in whatever format it is stored, and pays off from a few rows of
/// activations on. It takes four bytes per weight.
public final class PackedWeight: Sendable {
  /// The rows of the weight: what a product has as columns.
  public let outputs: Int
  /// The columns of the weight: what activations must have as columns.
  public let inputs: Int
  let panels: AlignedFloats

  /// Packs a stored weight.
  public init(_ weight: StoredMatrix, on compute: Compute = .automatic) {
    outputs = weight.rows
    inputs = weight.columns
    panels = AlignedFloats(count: KernelSet.panels(for: outputs) * KernelSet.panelWidth * inputs)
    weight.bytes.withUnsafeBytes { pack($0.start, weight.type, on: compute) }
  }

  /// Packs a float32 weight.
  public init(_ weight: Matrix, on compute: Compute = .automatic) {
    outputs = weight.rows
    inputs = weight.columns
    panels = AlignedFloats(count: KernelSet.panels(for: outputs) * KernelSet.panelWidth * inputs)
    weight.values.withUnsafeBytes { pack($0.start, .float32, on: compute) }
  }

  private func pack(_ weight: UnsafeRawPointer, _ type: ScalarType, on compute: Compute) {
    nonisolated(unsafe) let weight = weight
    let rowBytes = inputs * type.byteCount
    let width = KernelSet.panelWidth
    Parallel.forEachRange(of: outputs, size: width, threads: compute.threads) { rows in
      compute.kernels.pack(
        outputs: rows.count, inputs: inputs, type, weight + rows.lowerBound * rowBytes,
        rowBytes: rowBytes, into: panels.pointer + rows.lowerBound * inputs)
    }
  }
}

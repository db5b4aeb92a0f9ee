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
  public convenience init(_ weight: StoredMatrix, on compute: Compute = .automatic) {
    self.init(outputs: weight.rows, inputs: weight.columns, on: compute) { rows, panel in
      weight.pack(rows: rows, into: panel, kernels: compute.kernels)
    }
  }

  /// Packs a float32 weight.
  public convenience init(_ weight: Matrix, on compute: Compute = .automatic) {
    self.init(outputs: weight.rows, inputs: weight.columns, on: compute) { rows, panel in
      weight.values.withUnsafeBytes { bytes in
        let rowBytes = 4 * weight.columns
        compute.kernels.pack(
          outputs: rows.count, inputs: weight.columns, .float32,
          bytes.start + rows.lowerBound * rowBytes, rowBytes: rowBytes, into: panel)
      }
    }
  }

  /// Has each panel written, which holds 48 rows or those that are left.
  init(
    outputs: Int, inputs: Int, on compute: Compute,
    _ pack: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) {
    self.outputs = outputs
    self.inputs = inputs
    panels = AlignedFloats(count: PackedWeight.byteCount(outputs: outputs, inputs: inputs) / 4)
    Parallel.forEachRange(of: outputs, size: KernelSet.panelWidth, threads: compute.threads) {
      pack($0, panels.pointer + $0.lowerBound * inputs)
    }
  }

  /// The bytes of a packed weight of that shape.
  package static func byteCount(outputs: Int, inputs: Int) -> Int {
    4 * KernelSet.panels(for: outputs) * KernelSet.panelWidth * inputs
  }
}

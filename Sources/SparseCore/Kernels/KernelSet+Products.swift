internal import CSparseKernels

/// Packing and matrix products.
extension KernelSet {
  /// Outputs per panel of a packed weight.
  package static let panelWidth = Int(SK_PANEL)

  /// The panels that `columns` outputs fill, the last one padded.
  package static func panels(for columns: Int) -> Int {
    (columns + panelWidth - 1) / panelWidth
  }

  /// Weight rows to panels [inputs][48 outputs].
  package func pack(
    outputs: Int, inputs: Int, _ type: ScalarType, _ weight: UnsafeRawPointer, rowBytes: Int,
    into panels: UnsafeMutablePointer<Float>
  ) {
    table.pointee.pack(type.code, outputs, inputs, weight, rowBytes, panels)
  }

  /// Columns of a row-major matrix to panels [rows][48 columns], `panelStride` values apart.
  package func packColumns(
    rows: Int, columns: Int, _ x: UnsafePointer<Float>, stride: Int,
    into panels: UnsafeMutablePointer<Float>, panelStride: Int
  ) {
    table.pointee.pack_columns(rows, columns, x, stride, panels, panelStride)
  }

  /// out ← (accumulate ? out : 0) + x · panels, each output one chain over the inputs in order.
  package func gemm(
    tokens: Int, outputs: Int, inputs: Int, _ x: UnsafePointer<Float>, stride: Int,
    panels: UnsafePointer<Float>, panelStride: Int,
    into out: UnsafeMutablePointer<Float>, outStride: Int, accumulate: Bool
  ) {
    table.pointee.gemm(
      tokens, outputs, inputs, x, stride, panels, panelStride, out, outStride, accumulate ? 1 : 0)
  }

  /// tile ← tile + aᵀb for two panels of `tokens` rows and a 48 × 48 tile.
  ///
  /// On the diagonal, where both are the same panel, only what lies on or below it is promised.
  package func rankUpdate(
    tokens: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    into tile: UnsafeMutablePointer<Float>, diagonal: Bool
  ) {
    table.pointee.rank_update(tokens, a, b, tile, diagonal ? 1 : 0)
  }
}

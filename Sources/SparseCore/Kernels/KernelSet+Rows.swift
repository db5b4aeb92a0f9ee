internal import CSparseKernels

/// Rows of a weight where they are stored: valid as long as the weight's bytes.
package struct WeightRows {
  /// The first value of the first row, of all values or, where there is a mask, of the kept ones.
  let values: UnsafeRawPointer
  /// Bytes from one row's values to the next.
  let valueBytes: Int
  /// The first row's mask, two bits set in every four; nil for a weight that is not compressed.
  let mask: UnsafePointer<UInt8>?
  /// Bytes from one row's mask to the next.
  let maskBytes: Int

  package init(
    values: UnsafeRawPointer, valueBytes: Int, mask: UnsafePointer<UInt8>? = nil, maskBytes: Int = 0
  ) {
    self.values = values
    self.valueBytes = valueBytes
    self.mask = mask
    self.maskBytes = maskBytes
  }

  fileprivate var rows: sk_rows {
    sk_rows(values: values, value_bytes: valueBytes, mask: mask, mask_bytes: maskBytes)
  }
}

/// Products of a few rows of activations with the rows of a weight where they are stored.
extension KernelSet {
  /// out ← x · weightᵀ, each value with the bits of `dot` for the two rows, and of the dense weight for a 2:4 one.
  ///
  /// Signed bytes count as they are, without a scale.
  package func multiply(
    tokens: Int, outputs: Int, columns: Int, _ x: UnsafePointer<Float>, stride: Int,
    _ type: ScalarType, _ weight: WeightRows, into out: UnsafeMutablePointer<Float>, outStride: Int
  ) {
    checkGroups(columns, weight)
    withUnsafePointer(to: weight.rows) {
      table.pointee.multiply_rows(
        type.code, tokens, outputs, columns, x, stride, $0, out, outStride)
    }
  }

  /// The exact products of rows of signed bytes with the rows of an INT8 weight.
  package func multiplyInt8(
    tokens: Int, outputs: Int, columns: Int, _ x: UnsafePointer<Int8>, stride: Int,
    _ weight: WeightRows, into out: UnsafeMutablePointer<Int32>, outStride: Int
  ) {
    precondition(columns <= KernelSet.exactInputs, "multiplyInt8: \(columns) columns")
    checkGroups(columns, weight)
    withUnsafePointer(to: weight.rows) {
      table.pointee.multiply_rows_i8(tokens, outputs, columns, x, stride, $0, out, outStride)
    }
  }

  private func checkGroups(_ columns: Int, _ weight: WeightRows) {
    precondition(
      columns % 4 == 0 || weight.mask == nil, "multiply: \(columns) columns of a 2:4 weight")
  }
}

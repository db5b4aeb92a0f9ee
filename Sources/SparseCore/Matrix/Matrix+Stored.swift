extension Matrix {
  /// The float32 values of a stored matrix.
  public init(_ stored: StoredMatrix, on compute: Compute = .automatic) {
    self.init(rows: stored.rows, columns: stored.columns) { out in
      stored.bytes.withUnsafeBytes { bytes in
        nonisolated(unsafe) let (from, to) = (bytes.start, out.start)
        Parallel.forEachRange(of: out.count, size: conversionBlock, threads: compute.threads) {
          compute.kernels.convert(
            $0.count, stored.type, from + $0.lowerBound * stored.type.byteCount,
            to: to + $0.lowerBound)
        }
      }
    }
  }

  /// The values as a checkpoint stores them: rounded to nearest, ties to even, overflow to infinity.
  ///
  /// A NaN stays a NaN, and a value that came from `type` comes back bit for bit.
  public func storedBytes(as type: ScalarType, on compute: Compute = .automatic) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: values.count * type.byteCount) { bytes, count in
      count = values.count * type.byteCount
      values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let (from, to) = (values.start, UnsafeMutableRawPointer(bytes.start))
        Parallel.forEachRange(of: values.count, size: conversionBlock, threads: compute.threads) {
          compute.kernels.convert(
            $0.count, from + $0.lowerBound, to: to + $0.lowerBound * type.byteCount, type)
        }
      }
    }
  }

  /// The rows of a stored matrix at `indices`, in their order: the embeddings of some tokens.
  package init(
    rows indices: [Int32], of stored: StoredMatrix, on compute: Compute = .automatic
  ) {
    let rowBytes = stored.columns * stored.type.byteCount
    self.init(rows: indices.count, columns: stored.columns) { out in
      stored.bytes.withUnsafeBytes { bytes in
        for (place, index) in indices.enumerated() {
          precondition(
            index >= 0 && index < stored.rows, "Matrix: row \(index) of a matrix of \(stored.rows)")
          compute.kernels.convert(
            stored.columns, stored.type, bytes.start + Int(index) * rowBytes,
            to: out.start + place * stored.columns)
        }
      }
    }
  }
}

/// Values per piece of a conversion: enough to outweigh the handing out.
private let conversionBlock = 1 << 16

extension Matrix {
  /// The float32 values of a stored matrix.
  public init(_ stored: StoredMatrix, on compute: Compute = .automatic) {
    self.init(rows: stored.rows, columns: stored.columns) { out in
      nonisolated(unsafe) let to = out.start
      let rows = max(1, conversionBlock / max(1, stored.columns))
      Parallel.forEachRange(of: stored.rows, size: rows, threads: compute.threads) {
        stored.convert(
          rows: $0, to: to + $0.lowerBound * stored.columns, kernels: compute.kernels)
      }
    }
  }

  /// The values as a checkpoint stores them: rounded to nearest, ties to even, overflow to infinity.
  ///
  /// A NaN stays a NaN, and a value that came from `type`, a floating-point type, comes back bit for bit.
  public func storedBytes(as type: ScalarType, on compute: Compute = .automatic) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: values.count * type.byteCount) { bytes, count in
      count = values.count * type.byteCount
      store(as: type, to: UnsafeMutableRawPointer(bytes.start), on: compute)
    }
  }

  /// Writes what ``storedBytes(as:on:)`` gives.
  func store(as type: ScalarType, to bytes: UnsafeMutableRawPointer, on compute: Compute) {
    values.withUnsafeBufferPointer { values in
      nonisolated(unsafe) let (from, to) = (values.start, bytes)
      Parallel.forEachRange(of: values.count, size: conversionBlock, threads: compute.threads) {
        compute.kernels.convert(
          $0.count, from + $0.lowerBound, to: to + $0.lowerBound * type.byteCount, type)
      }
    }
  }

  /// The rows of a stored matrix at `indices`, in their order: the embeddings of some tokens.
  package init(
    rows indices: [Int32], of stored: StoredMatrix, on compute: Compute = .automatic
  ) {
    self.init(rows: indices.count, columns: stored.columns) { out in
      for (place, index) in indices.enumerated() {
        precondition(
          index >= 0 && index < stored.rows, "Matrix: row \(index) of a matrix of \(stored.rows)")
        stored.convert(
          rows: Int(index)..<Int(index) + 1, to: out.start + place * stored.columns,
          kernels: compute.kernels)
      }
    }
  }
}

/// Values per piece of a conversion: enough to outweigh the handing out.
private let conversionBlock = 1 << 16

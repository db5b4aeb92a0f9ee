/// A stored matrix from float32 values, and back.
extension StoredMatrix {
  /// A copy of a matrix in the floating-point format `type`, rounded to nearest, ties to even.
  public init(_ matrix: Matrix, as type: ScalarType = .float32, on compute: Compute = .automatic) {
    self.init(
      rows: matrix.rows, columns: matrix.columns, type: type,
      bytes: ByteView(copying: matrix.storedBytes(as: type, on: compute)))
  }

  /// The INT8 matrix of a matrix's codes on a grid of its shape: each value is the grid's nearest.
  ///
  /// ```swift
  /// let weight = Matrix(rows: 1, columns: 4, [0.5, -1.27, 0, 0.014])
  /// let stored = StoredMatrix(quantizing: weight, on: try Int8Grid(for: weight))
  /// Matrix(stored).values  // [0.5, -1.27, 0, 0.01]
  /// ```
  public init(
    quantizing matrix: Matrix, on grid: Int8Grid, on compute: Compute = .automatic
  ) {
    let codes = ByteView(count: matrix.values.count) { bytes in
      grid.code(matrix, into: bytes.bindMemory(to: Int8.self), on: compute)
    }
    self.init(codes: codes, on: grid)
  }

  /// How many values are NaN or infinite.
  public func countNotFinite(on compute: Compute = .automatic) -> Int {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return compute.kernels.countNotFinite(rows * columns, type, base)
    }
  }

  /// Writes the float32 values of some rows, one after another.
  func convert(rows range: Range<Int>, to out: UnsafeMutablePointer<Float>, kernels: KernelSet) {
    bytes.withUnsafeBytes { bytes in
      let from = bytes.start + range.lowerBound * rowBytes
      guard let grid else {
        kernels.convert(range.count * columns, type, from, to: out)
        return
      }
      let codes = from.assumingMemoryBound(to: Int8.self)
      for group in 0..<range.count * grid.groups {
        let start = group * grid.groupSize
        kernels.dequantize(
          grid.groupSize, codes + start, scale: grid.scales[range.lowerBound * grid.groups + group],
          into: out + start)
      }
    }
  }

  /// Writes the panels of up to 48 rows: [columns][48], float32.
  func pack(rows range: Range<Int>, into panel: UnsafeMutablePointer<Float>, kernels: KernelSet) {
    guard grid != nil else {
      bytes.withUnsafeBytes { bytes in
        kernels.pack(
          outputs: range.count, inputs: columns, type,
          bytes.start + range.lowerBound * rowBytes, rowBytes: rowBytes, into: panel)
      }
      return
    }
    // Scaled before they are laid out, so that the panels are those of the float32 matrix, bit for bit.
    AlignedFloats.withScratch(count: range.count * columns) { values in
      convert(rows: range, to: values, kernels: kernels)
      kernels.pack(
        outputs: range.count, inputs: columns, .float32, values, rowBytes: 4 * columns, into: panel)
    }
  }
}

/// `tokens × inputs` times (`outputs × inputs`)ᵀ with both sides in INT8, of a weight as it is stored: the product `tokens × outputs`.
///
/// Every row of `x` is rounded to INT8 on a scale of its own, as W8A8 does. The bits are those of
/// `linear` with a ``PackedInt8Weight``, for any number of rows; of a compressed weight, only a block at a
/// time is ever expanded.
///
/// - Parameter weight: an INT8 weight.
public func int8Linear(
  _ x: Matrix, _ weight: StoredWeight, on compute: Compute = .automatic
) -> Matrix {
  guard let grid = weight.grid else {
    preconditionFailure("int8Linear: the weight is \(weight.type)")
  }
  checkInputs(x, weight.columns)
  let rows = Int8Rows(x, on: compute)
  return Matrix(rows: x.rows, columns: weight.rows) { out in
    let product = StoredInt8Product(
      x: rows, weight: weight, grid: grid, out: out.start, compute: compute)
    if x.rows <= mostRowsByDots { product.byDots() } else { product.byPanels() }
  }
}

/// More rows of activations than this pay for panels of a weight.
private let mostRowsByDots = 32

/// An integer product with a weight that stays as stored.
///
/// The pointer lives as long as the call that made it.
private struct StoredInt8Product: @unchecked Sendable {
  let x: Int8Rows
  let weight: StoredWeight
  let grid: Int8Grid
  let out: UnsafeMutablePointer<Float>
  let compute: Compute

  private var kernels: KernelSet { compute.kernels }

  func byDots() {
    let size = weight.rowsPerPiece
    Parallel.forEachRange(of: weight.rows, size: size, threads: compute.threads) { rows in
      dots(weight.rows(rows).readableByGroups(kernels: kernels), into: out + rows.lowerBound)
    }
  }

  /// Some rows: exact sums over all inputs that share a scale, times both scales, added up.
  private func dots(_ piece: StoredWeight, into out: UnsafeMutablePointer<Float>) {
    let rows = piece.rows
    AlignedFloats.withScratch(count: (x.rows + 1) * rows) { scratch in
      let scales = scratch + x.rows * rows
      let sums = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Int32.self)
      for (index, segment) in grid.segments.enumerated() {
        kernels.multiplyInt8(
          tokens: x.rows, outputs: rows, columns: segment.inputs.count,
          x.codes + segment.inputs.lowerBound, stride: x.stride,
          piece.rows(fromColumn: segment.inputs.lowerBound), into: sums, outStride: rows)
        for row in 0..<rows {
          scales[row] = piece.grid?.scales[row * grid.groups + segment.group] ?? 1
        }
        for token in 0..<x.rows {
          kernels.scale(
            rows, sums + token * rows, factor: x.scales[token], scales: scales,
            accumulate: index > 0, into: out + token * weight.rows)
        }
      }
    }
  }

  /// Blocks of outputs that are packed, as few as keep all threads busy.
  func byPanels() {
    let width = KernelSet.panelWidth
    let fitting = Int8Product.outputBlock(panelStride: width * weight.columns)
    let fair = (weight.rows / (4 * compute.threads) + width - 1) / width * width
    let size = max(width, compute.threads == 1 ? fitting : min(fitting, fair))
    Parallel.forEachRange(of: weight.rows, size: size, threads: compute.threads) { rows in
      let one = Compute(kernels: kernels, threads: 1)
      let packed = PackedInt8Weight(weight.rows(rows).matrix(on: one), on: one)
      Int8Product(
        x: x, weight: packed, out: out + rows.lowerBound, outStride: weight.rows, kernels: kernels
      ).run(tokens: 0..<x.rows, outputs: 0..<rows.count)
    }
  }
}

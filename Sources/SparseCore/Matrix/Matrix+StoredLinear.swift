/// The product with a weight as it is stored, read once and never copied as a whole.
///
/// For the few rows of a generation step. Up to four rows are dot products straight from the stored
/// weights, of a compressed weight with the bits of the whole one; more rows go through one panel of 48
/// outputs at a time, with the bits of a packed weight.
public func linear(
  _ x: Matrix, _ weight: StoredWeight, on compute: Compute = .automatic
) -> Matrix {
  product(x, weight, byDots: x.rows <= 4, on: compute)
}

/// The product with a weight as it is stored: see ``linear(_:_:on:)-(_,StoredWeight,_)``.
public func linear(_ x: Matrix, _ weight: StoredMatrix, on compute: Compute = .automatic) -> Matrix
{
  linear(x, .whole(weight), on: compute)
}

/// The product with a 2:4 weight straight from its compressed form: see ``linear(_:_:on:)-(_,StoredWeight,_)``.
public func linear(_ x: Matrix, _ weight: Compressed24, on compute: Compute = .automatic) -> Matrix
{
  linear(x, .compressed(weight), on: compute)
}

/// The product with a weight as it is stored, with the bits of a packed weight however few the rows.
package func linearAsPacked(_ x: Matrix, _ weight: StoredWeight, on compute: Compute) -> Matrix {
  product(x, weight, byDots: false, on: compute)
}

/// The product with a weight as it is stored, with the bits of a packed weight however few the rows.
package func linearAsPacked(_ x: Matrix, _ weight: StoredMatrix, on compute: Compute) -> Matrix {
  linearAsPacked(x, .whole(weight), on: compute)
}

private func product(
  _ x: Matrix, _ weight: StoredWeight, byDots: Bool, on compute: Compute
) -> Matrix {
  checkInputs(x, weight.columns)
  return Matrix(rows: x.rows, columns: weight.rows) { out in
    x.values.withUnsafeBufferPointer { values in
      let product = StoredProduct(
        x: values.start, tokens: x.rows, weight: weight, out: out.start, compute: compute)
      if byDots { product.byDots() } else { product.byPanels() }
    }
  }
}

/// A product with a weight that stays as stored.
///
/// The pointers live as long as the call that made it.
private struct StoredProduct: @unchecked Sendable {
  let x: UnsafePointer<Float>
  let tokens: Int
  let weight: StoredWeight
  let out: UnsafeMutablePointer<Float>
  let compute: Compute

  private var inputs: Int { weight.columns }
  private var outputs: Int { weight.rows }
  private var kernels: KernelSet { compute.kernels }

  func byDots() {
    let size = weight.rowsPerPiece
    Parallel.forEachRange(of: outputs, size: size, threads: compute.threads) { rows in
      let piece = weight.rows(rows).readableByGroups(kernels: kernels)
      if let grid = piece.grid {
        dots(piece, grid, into: out + rows.lowerBound)
      } else {
        kernels.multiply(
          tokens: tokens, outputs: rows.count, columns: inputs, x, stride: inputs, weight.type,
          piece.rows(fromColumn: 0), into: out + rows.lowerBound, outStride: outputs)
      }
    }
  }

  /// Some rows of INT8: the products of all inputs that share a scale, times the scale, added up.
  private func dots(_ piece: StoredWeight, _ grid: Int8Grid, into out: UnsafeMutablePointer<Float>)
  {
    AlignedFloats.withScratch(count: tokens * piece.rows) { sums in
      for group in 0..<grid.groups {
        let first = group * grid.groupSize
        kernels.multiply(
          tokens: tokens, outputs: piece.rows, columns: grid.groupSize, x + first, stride: inputs,
          .int8, piece.rows(fromColumn: first), into: sums, outStride: piece.rows)
        for token in 0..<tokens {
          for row in 0..<piece.rows {
            let term = grid.scales[row * grid.groups + group] * sums[token * piece.rows + row]
            out[token * outputs + row] = group == 0 ? term : out[token * outputs + row] + term
          }
        }
      }
    }
  }

  func byPanels() {
    let width = KernelSet.panelWidth
    Parallel.forEachRange(of: outputs, size: width, threads: compute.threads) { rows in
      let piece = weight.rows(rows).matrix(on: Compute(kernels: kernels, threads: 1))
      AlignedFloats.withScratch(count: inputs * width) { panel in
        piece.pack(rows: 0..<rows.count, into: panel, kernels: kernels)
        kernels.gemm(
          tokens: tokens, outputs: rows.count, inputs: inputs, x, stride: inputs, panels: panel,
          panelStride: inputs * width, into: out + rows.lowerBound, outStride: outputs,
          accumulate: false)
      }
    }
  }
}

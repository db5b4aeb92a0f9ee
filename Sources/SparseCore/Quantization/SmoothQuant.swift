/// Scales that move outliers from a stage's inputs into its weights: s_j = max|x_j|^α / max|w_j|^(1−α).
///
/// Xiao et al. 2022, arXiv 2211.10438, equation 4. With the inputs divided by s and the columns of the weights
/// multiplied by it the layers compute the same, and both sides round to 8 bits better. The floor of a
/// weight's maximum and of a scale is 1e-5, as in the reference.
///
/// - Parameters:
///   - inputMaxima: max|x_j| of each input.
///   - weights: all layers that read these inputs, `outputs × inputs`.
///   - alpha: from 0, where the inputs stay as they are large, to 1, where all of them become as large as 1.
/// - Returns: a scale above 0 for each input.
package func smoothingScales(
  inputMaxima: [Float], weights: [RowSource], alpha: Float = 0.5,
  on compute: Compute = .automatic
) -> [Float] {
  precondition((0...1).contains(alpha), "smoothingScales: α is \(alpha), not between 0 and 1")
  var largest = InputMaxima(inputs: inputMaxima.count)
  for weight in weights {
    weight.forEach(weight.rowsAtOnce, on: compute) { largest.add($1, on: compute) }
  }
  return zip(inputMaxima, largest.maxima).map { input, weight in
    let up = Math.power(Double(input), Double(alpha))
    let down = Math.power(max(Double(weight), 1e-5), 1 - Double(alpha))
    return Float(max(up / down, 1e-5))
  }
}

/// A norm whose outputs are divided by scales, as a checkpoint can store it.
package struct SmoothedNorm: Sendable {
  /// The norm's new weight, in the number format of the old one.
  package let weight: StoredMatrix
  /// By what the norm's outputs are really divided: 1 where a channel stays as it was.
  ///
  /// The old weight divided by the new one, in float32. So that rounding the new one to its number format
  /// costs nothing, the columns of the layers that read the norm are multiplied by these and not by the
  /// scales that were asked for.
  package let scales: [Float]

  /// A norm's weight, a matrix of one row, with every channel divided by its scale.
  ///
  /// A channel stays as it was where its weight is 0 or not finite, or where the new weight would be: such a
  /// channel says nothing, or too much for its number format.
  package init(
    _ norm: StoredMatrix, dividedBy scales: [Float], on compute: Compute = .automatic
  ) {
    precondition(
      norm.rows == 1 && norm.columns == scales.count,
      "SmoothedNorm: \(norm.rows) × \(norm.columns) weights, \(scales.count) scales")
    let old = Matrix(norm, on: compute).values
    func stored(_ values: [Float]) -> StoredMatrix {
      StoredMatrix(Matrix(rows: 1, columns: values.count, values), as: norm.type, on: compute)
    }
    let wanted = stored(zip(old, scales).map { $0 / $1 })
    var new = Matrix(wanted, on: compute).values
    var ratios = zip(old, new).map { $0 / $1 }
    for channel in ratios.indices
    where !ratios[channel].isNormal || !new[channel].isFinite || ratios[channel] < 0 {
      ratios[channel] = 1
      new[channel] = old[channel]
    }
    weight = stored(new)
    self.scales = ratios
  }
}

extension Matrix {
  /// The columns multiplied by a factor each.
  package func scaled(columns factors: [Float]) -> Matrix { scaled(columns: factors, by: *) }

  /// The columns divided by a factor each.
  package func divided(columns factors: [Float]) -> Matrix { scaled(columns: factors, by: /) }

  private func scaled(columns factors: [Float], by operation: (Float, Float) -> Float) -> Matrix {
    precondition(
      columns == factors.count, "scaled: \(columns) columns, \(factors.count) factors")
    return Matrix(rows: rows, columns: columns) { out in
      for row in 0..<rows {
        for column in 0..<columns {
          let place = row * columns + column
          out.initializeElement(at: place, to: operation(values[place], factors[column]))
        }
      }
    }
  }
}

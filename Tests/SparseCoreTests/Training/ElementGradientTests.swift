import SparseCore
import TestSupport
import Testing

/// The gradients of what a decoder does row by row and value by value.
@Suite struct ElementGradientTests {
  /// rows and columns: around the vectors of every kernel set, and more rows than a block of 256.
  static let shapes = [
    (1, 1), (4, 3), (3, 7), (3, 8), (2, 9), (2, 15), (2, 16), (3, 17), (2, 33), (5, 100), (2, 576),
    (255, 5), (256, 18), (600, 3),
  ]

  /// Values away from 0, where a narrow row's norm turns sharply.
  private func inputs(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    let values = randomFloats(rows * columns, seed: seed)
    return Matrix(rows: rows, columns: columns, values.map { $0 < 0 ? $0 / 2 - 0.5 : $0 / 2 + 0.5 })
  }

  /// With s = 1 / √(mean x² + ε): both parts of the inputs' gradient are products of four roundings, those of the
  /// second once more for the sum over the row, whose terms are rounded before they are added in float64.
  @Test(arguments: shapes)
  func rmsNormGradientsAreTheDerivatives(shape: (Int, Int)) {
    let (rows, columns) = shape
    let epsilon: Float = 0.01
    let x = inputs(rows, columns, seed: 1)
    let weight = inputs(1, columns, seed: 2)
    let gradient = randomMatrix(rows, columns, seed: 3)
    let start = randomMatrix(rows, columns, seed: 4)
    let weightStart = randomMatrix(1, columns, seed: 5)
    let numeric = NumericGradient(
      at: Matrix64(x), weights: Matrix64(gradient), singles: singleValues, seed: 6
    ) { Reference.rmsNorm($0, weight: Matrix64(weight).values, epsilon: Double(epsilon)).values }
    let numericWeight = NumericGradient(
      at: Matrix64(weight), weights: Matrix64(gradient), singles: singleValues, seed: 7
    ) {
      Reference.rmsNorm(Matrix64(x), weight: $0.values, epsilon: Double(epsilon)).values
    }
    let normed = Reference.rmsNorm(
      Matrix64(x), weight: [Double](repeating: 1, count: columns), epsilon: Double(epsilon))
    var sizes = Matrix64(rows: rows, columns: columns)
    var weightSizes = Matrix64(rows: 1, columns: columns)
    for row in 0..<rows {
      let scale = normed[row, 0] / Double(x[row, 0])
      var sum = 0.0
      for column in 0..<columns {
        sum += abs(normed[row, column] * Double(weight[0, column] * gradient[row, column]))
        weightSizes[0, column] += abs(normed[row, column] * Double(gradient[row, column]))
      }
      for column in 0..<columns {
        let direct = abs(Double(weight[0, column] * gradient[row, column]))
        sizes[row, column] = scale * (direct + abs(normed[row, column]) * sum / Double(columns))
      }
    }
    onAllKernels("\(shape)") { compute in
      var (sum, weightSum) = (start, weightStart)
      addRMSNormGradient(
        of: gradient, x, weight: weight.values, epsilon: epsilon, to: &sum,
        weightGradient: &weightSum, on: compute)
      return [sum, weightSum]
    } check: {
      numeric.fault(in: $0[0], from: start, bounds: sizes.bounds(terms: 4, start: start))
        ?? numericWeight.fault(
          in: $0[1], from: weightStart,
          bounds: weightSizes.bounds(terms: min(rows, 256) + 4, start: weightStart))
    }
  }

  /// With s = 1 / (1 + e^−g): s comes from an exponential of two ulp, a sum and a quotient, and 1 + g (1 − s) errs
  /// by as much of 1 + |g|.
  @Test(arguments: [1, 3, 7, 8, 9, 15, 16, 17, 33, 100])
  func siluGradientsAreTheDerivatives(width: Int) {
    var gate = randomMatrix(3, width, seed: 1)
    gate.scale(by: 20)
    if width > 8 {
      for (column, extreme) in [0, -0.0, 60, -60, 87, -87, 110, -110].enumerated() {
        gate[1, column] = Float(extreme)
      }
    }
    let (up, gradient) = (randomMatrix(3, width, seed: 2), randomMatrix(3, width, seed: 3))
    let (gate64, up64) = (Matrix64(gate), Matrix64(up))
    let singles = isOptimized ? nil : 20
    let numericGate = NumericGradient(
      at: gate64, weights: Matrix64(gradient), singles: singles, seed: 4
    ) { Reference.siluMultiply(gate: $0, up: up64).values }
    let numericUp = NumericGradient(
      at: up64, weights: Matrix64(gradient), singles: singles, seed: 5
    ) { Reference.siluMultiply(gate: gate64, up: $0).values }
    var (gateSizes, upSizes) = (gate64, up64)
    for index in gate.values.indices {
      let share = Double(gradient.values[index]) / (1 + Math.exponential(-gate64.values[index]))
      upSizes.values[index] = abs(share * gate64.values[index])
      gateSizes.values[index] = abs(share * up64.values[index]) * (1 + abs(gate64.values[index]))
    }
    onAllKernels("\(width)") { compute in
      var (gateGradient, upGradient) = (gate, up)
      siluMultiplyGradient(of: gradient, gate: &gateGradient, up: &upGradient, on: compute)
      return [gateGradient, upGradient]
    } check: {
      numericGate.fault(in: $0[0], bounds: gateSizes.bounds(terms: 6))
        ?? numericUp.fault(in: $0[1], bounds: upSizes.bounds(terms: 6))
    }
  }

  /// The way back is the rotation by the angles turned round.
  @Test(arguments: [2, 6, 8, 16, 30, 34, 64])
  func rotationBackIsTheDerivative(width: Int) {
    let (heads, length) = (3, 4)
    let gradient = randomMatrix(2 * length, heads * width, seed: 1)
    let cosines = randomMatrix(length, width / 2, seed: 2)
    let sines = randomMatrix(length, width / 2, seed: 3)
    var turned = sines
    turned.scale(by: -1)
    let numeric = NumericGradient(
      at: Matrix64(randomMatrix(2 * length, heads * width, seed: 4)), weights: Matrix64(gradient),
      singles: 4 * singleValues, seed: 5
    ) {
      Reference.rotate(
        $0, headWidth: width, cosines: Matrix64(cosines), sines: Matrix64(sines),
        sequenceLength: length
      ).values
    }
    // Two products of values of at most 1.
    let sizes = Matrix64(
      rows: gradient.rows, columns: gradient.columns,
      [Double](repeating: 2, count: gradient.values.count))
    onAllKernels("\(width)") { compute in
      var result = gradient
      rotate(
        &result, headWidth: width, cosines: cosines, sines: turned, sequenceLength: length,
        on: compute)
      return [result]
    } check: {
      numeric.fault(in: $0[0], bounds: sizes.bounds(terms: 1))
    }
  }
}

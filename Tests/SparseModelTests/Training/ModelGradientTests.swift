import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Every tensor's gradient through the whole model against central differences of the whole model in float64.
@Suite struct ModelGradientTests {
  /// How far a value may be off, in shares of its tensor's largest gradient.
  ///
  /// Float32 sums of at most 64 terms err by about √64 · 2⁻²⁴ of their size, and one comes after the other: thirteen on
  /// the way forward (six a block and the logits), and twice as many back, each of them a product with what the way forward
  /// left.
  static let tolerance = 4 * 13 * 8 * 0x1p-24

  @Test(arguments: ModelFixture.architectures)
  func gradientsAreTheDerivatives(fixture: ModelFixture) throws {
    let data = try TrainingFixture(fixture, windows: 2, length: isOptimized ? 9 : 4)
    let (windows, parameters) = (data.windows, data.parameters)
    let model = ReferenceDecoder(data.decoder.configuration, parameters)
    var checkpoint = data
    for (place, name) in parameters.names.enumerated() {
      checkpoint.parameters.values[place] = try Matrix(
        parameters.values[place].rows == 1
          ? data.decoder.checkpoint.vector(name) : data.decoder.checkpoint.weight(name))
    }
    let teacher = ReferenceDecoder(data.decoder.configuration, checkpoint.parameters)
      .logits(windows)
    let results = try TrainingObjective.allCases.map { try data.gradients($0) }
    // What the two sums of losses count in the mean of each objective.
    let shares = [1 / Double(windows.ids.count), 1 / Double(windows.count * (windows.length - 1))]
    let weights = TrainingObjective.allCases.map {
      [$0.needsTeacher ? shares[0] : 0, $0.loss.crossEntropy > 0 ? shares[1] : 0]
    }

    let losses = model.losses(windows, teacher: teacher)
    for (objective, result) in zip(TrainingObjective.allCases, results) {
      let divergence = objective.needsTeacher ? losses[0] : 0
      #expect(abs(result.loss.divergence - divergence) <= Self.tolerance * losses[0])
      #expect(
        abs(result.loss.negativeLogLikelihood - losses[1]) <= Self.tolerance * losses[1])
    }
    for (place, name) in parameters.names.enumerated() {
      let numerics = NumericGradient.several(
        at: Matrix64(parameters.values[place]), weights: weights,
        singles: isOptimized ? 5 : 2, seed: UInt64(place)
      ) { moved in
        var model = model
        model.weights[name] = moved
        return model.losses(windows, teacher: teacher)
      }
      for (objective, (numeric, result)) in zip(
        TrainingObjective.allCases, zip(numerics, results))
      {
        let gradient = result.parameters.gradients[place]
        let largest = gradient.largest
        #expect(largest > 1e-4, "\(name) has a gradient")
        let bounds = Matrix64(
          rows: gradient.rows, columns: gradient.columns,
          [Double](repeating: Self.tolerance * largest, count: gradient.values.count))
        #expect(numeric.fault(in: gradient, bounds: bounds) == nil, "\(objective), \(name)")
      }
    }
  }
}

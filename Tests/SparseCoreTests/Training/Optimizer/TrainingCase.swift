import SparseCore
import TestSupport

/// A masked weight, one without a mask and a gain that does not decay, with gradients that differ at every step.
struct TrainingCase {
  let parameters: [MaskedOptimizer.Parameter]
  /// Random, also where the masks prune.
  let weights: [Matrix]
  private let seed: UInt64

  /// - Parameter isLarge: whether there is more in it than a piece of 32,768 values for a thread.
  init(seed: UInt64 = 1, isLarge: Bool = false) throws {
    // Rows of more than a block of 1,024 columns, and of a half byte of mask.
    let shapes = [(1, 1_036), isLarge ? (33, 1_028) : (5, 12), (7, 4), (5, 33), (1, 17), (0, 8)]
    parameters = try shapes.enumerated().map { index, shape in
      let (rows, columns) = shape
      let masked = index < 3 || rows == 0
      return MaskedOptimizer.Parameter(
        name: "parameter \(index)", rows: rows, columns: columns,
        mask: masked
          ? try Mask24.random(rows: rows, columns: columns, seed: seed + UInt64(index)) : nil,
        decays: columns != 17)
    }
    self.seed = seed
    weights = parameters.enumerated().map { index, parameter in
      randomMatrix(parameter.rows, parameter.columns, seed: seed &* 100 &+ UInt64(index))
    }
  }

  func gradients(at step: Int) -> [Matrix] {
    parameters.enumerated().map { index, parameter in
      randomMatrix(
        parameter.rows, parameter.columns, seed: seed &* 10_000 &+ UInt64(step * 10 + index + 1))
    }
  }

  /// Whether each weight of a parameter is trained.
  static func trained(_ parameter: MaskedOptimizer.Parameter) -> [Bool] {
    parameter.mask?.kept ?? [Bool](repeating: true, count: parameter.rows * parameter.columns)
  }
}

extension MaskedOptimizer {
  /// Steps of a line down to 0, with clipping where a norm is given.
  mutating func train(
    _ weights: inout [Matrix], on data: TrainingCase, steps range: Range<Int>,
    clippingNorm: Double? = nil, compute: Compute = .automatic
  ) throws {
    let schedule = LearningRateSchedule(peak: 0.05, shape: .linear, warmUpSteps: 2, totalSteps: 60)
    for index in range {
      var gradients = data.gradients(at: index)
      try step(
        &weights, gradients: &gradients, learningRate: schedule.rate(at: index),
        clippingNorm: clippingNorm, on: compute)
    }
  }
}

/// The bits of all values, one list for each matrix.
func bits(_ matrices: [Matrix]) -> [[UInt32]] { matrices.map { bits($0.values) } }

/// Trains any set of weights, some of them 2:4 sparse: what a mask prunes is exactly 0 after every step.
///
/// Prune, keep the mask, and step with any gradients, here those of half the squared distance to the dense weight:
///
/// ```swift
/// let dense = Matrix(rows: 1, columns: 8, [0.1, -3, 2, 0.5, 4, 0, -1, 6])
/// let mask = try Mask24(keepingLargest: Matrix(rows: 1, columns: 8, dense.values.map(abs)))
/// let parameter = MaskedOptimizer.Parameter(name: "weight", rows: 1, columns: 8, mask: mask)
/// var optimizer = MaskedOptimizer(AdamW(weightDecay: 0), for: [parameter])
/// let schedule = LearningRateSchedule(peak: 0.5, shape: .cosine, warmUpSteps: 5, totalSteps: 100)
/// var weights = [Matrix(rows: 1, columns: 8)]
/// for step in 0..<100 {
///   let errors = zip(weights[0].values, dense.values).map { $0 - $1 }
///   var gradients = [Matrix(rows: 1, columns: 8, errors)]
///   try optimizer.step(
///     &weights, gradients: &gradients, learningRate: schedule.rate(at: step), clippingNorm: 1)
/// }
/// weights[0].values  // about [0, -3, 2, 0, 4, 0, 0, 6]
/// ```
///
/// What the rule remembers is held for kept weights alone: half the memory. The results have the same bits for any
/// number of threads and on every kernel set.
public struct MaskedOptimizer: Sendable {
  /// Weights that are trained: their shape, and which of them are.
  public struct Parameter: Sendable, Equatable {
    /// What errors and states call it.
    public let name: String
    /// The rows of its matrix; 1 for a vector.
    public let rows: Int
    /// The columns of its matrix.
    public let columns: Int
    /// The weights that are trained, while the others are 0; nil if all are.
    public let mask: Mask24?
    /// Whether the rule's weight decay applies: commonly not to gains and biases.
    public let decays: Bool

    /// A parameter of this shape, which is the mask's where there is one.
    public init(name: String, rows: Int, columns: Int, mask: Mask24? = nil, decays: Bool = true) {
      precondition(rows >= 0 && columns >= 0, "Parameter \(name): \(rows) × \(columns)")
      if let mask {
        precondition(
          mask.rows == rows && mask.columns == columns,
          "Parameter \(name): a mask of \(mask.rows) × \(mask.columns) for \(rows) × \(columns)")
      }
      self.name = name
      self.rows = rows
      self.columns = columns
      self.mask = mask
      self.decays = decays
    }

    /// How many weights of a row are trained.
    var trainedColumns: Int { mask == nil ? columns : columns / 2 }
  }

  /// How the weights change.
  public let rule: any OptimizerRule
  /// What is trained, in the order of weights and gradients.
  public let parameters: [Parameter]
  /// How many steps have been made.
  public internal(set) var steps: Int
  /// Of each parameter the moments, as in ``OptimizerState/Moments/values``.
  var moments: [Matrix]

  /// An optimizer before its first step.
  public init(_ rule: any OptimizerRule, for parameters: [Parameter]) {
    self.init(
      rule, parameters, steps: 0,
      moments: parameters.map {
        Matrix(rows: rule.momentCount * $0.rows, columns: $0.trainedColumns)
      })
  }

  /// An optimizer of these parts.
  init(_ rule: any OptimizerRule, _ parameters: [Parameter], steps: Int, moments: [Matrix]) {
    self.rule = rule
    self.parameters = parameters
    self.steps = steps
    self.moments = moments
  }

  /// The bytes that an optimizer of these parameters holds beside weights, gradients and masks.
  public static func stateBytes(for parameters: [Parameter], rule: any OptimizerRule) -> Int {
    parameters.reduce(0) { $0 + rule.momentCount * $1.rows * $1.trainedColumns * 4 }
  }

  /// Makes one step, in place.
  ///
  /// - Parameters:
  ///   - weights: one matrix for each parameter. Afterwards what a mask prunes is +0.0, whatever it was before.
  ///     The matrices are changed where they are, as long as nothing else holds their values.
  ///   - gradients: one matrix for each parameter. Afterwards they are what the step went by: +0.0 where a mask
  ///     prunes, whatever was there, and clipped.
  ///   - learningRate: the rate of this step, finite and not negative.
  ///   - clippingNorm: where the gradients' norm is above it, they are brought down to it: multiplied by
  ///     clippingNorm / (norm + 10⁻⁶) if that is below 1, as `torch.nn.utils.clip_grad_norm_` does.
  ///   - compute: what to compute with.
  /// - Returns: the L2 norm of the gradients of all trained weights together before clipping, summed in float64.
  /// - Throws: ``OptimizerError/nonFiniteGradient(parameter:count:step:)``, before anything has changed.
  @discardableResult
  public mutating func step(
    _ weights: inout [Matrix], gradients: inout [Matrix], learningRate: Double,
    clippingNorm: Double? = nil, on compute: Compute = .automatic
  ) throws(OptimizerError) -> Double {
    check(weights, "weights")
    check(gradients, "gradients")
    precondition(
      learningRate.isFinite && learningRate >= 0, "MaskedOptimizer: learning rate \(learningRate)")
    if let clippingNorm {
      precondition(clippingNorm > 0, "MaskedOptimizer: clipping to a norm of \(clippingNorm)")
    }
    let norm = try gradientNorm(gradients, on: compute)
    let factor = clippingNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    steps += 1
    for (index, parameter) in parameters.enumerated() {
      let update = rule.update(
        step: steps, learningRate: learningRate, decays: parameter.decays, on: compute.kernels)
      parameter.update(
        &weights[index].values, gradients: &gradients[index].values,
        moments: &moments[index].values, momentCount: rule.momentCount,
        gradientFactor: Float(factor), on: compute, by: update)
    }
    return norm
  }

  private func gradientNorm(
    _ gradients: [Matrix], on compute: Compute
  ) throws(OptimizerError) -> Double {
    var total = 0.0
    for (parameter, gradient) in zip(parameters, gradients) {
      let sum = parameter.squareSum(of: gradient.values, on: compute)
      guard sum.isFinite else {
        throw .nonFiniteGradient(
          parameter: parameter.name, count: parameter.countNotFinite(in: gradient), step: steps)
      }
      total += sum
    }
    return total.squareRoot()
  }

  private func check(_ matrices: [Matrix], _ what: String) {
    precondition(
      matrices.count == parameters.count,
      "MaskedOptimizer: \(matrices.count) \(what) for \(parameters.count) parameters")
    for (matrix, parameter) in zip(matrices, parameters) {
      precondition(
        matrix.rows == parameter.rows && matrix.columns == parameter.columns,
        "MaskedOptimizer: \(what) of \(matrix.rows) × \(matrix.columns) for '\(parameter.name)' of "
          + "\(parameter.rows) × \(parameter.columns)")
    }
  }
}

/// How a language model's predictions are scored in training, token by token.
///
/// The loss of a token is `distillation` · KL(teacher ‖ student) + `crossEntropy` · −log p(next token), at temperature 1
/// (Hinton et al. 2015, arXiv 1503.02531, equation 1 without its temperature).
package struct LogitLoss: Sendable, Equatable {
  /// The weight of the divergence from the teacher.
  package var distillation: Float
  /// The weight of the next token's negative log-likelihood.
  package var crossEntropy: Float

  package init(distillation: Float, crossEntropy: Float) {
    self.distillation = distillation
    self.crossEntropy = crossEntropy
  }
}

/// What predictions have cost, in nats.
package struct LossSums: Sendable, Equatable {
  /// The sum of KL(teacher ‖ student) over all tokens, and how many there are.
  package var divergence = 0.0, divergenceTokens = 0
  /// The sum of −log p over all tokens that have a next one, and how many there are.
  package var negativeLogLikelihood = 0.0, predictedTokens = 0

  package init() {}

  /// Takes in the sums over other tokens.
  package static func += (sums: inout LossSums, other: LossSums) {
    sums.divergence += other.divergence
    sums.divergenceTokens += other.divergenceTokens
    sums.negativeLogLikelihood += other.negativeLogLikelihood
    sums.predictedTokens += other.predictedTokens
  }
}

/// Scores logits, and puts into `logits` the gradient of the loss if there is any use for it.
///
/// - Parameters:
///   - logits: tokens × vocabulary; afterwards Σ over the loss's terms of each term's gradient times its factor.
///   - teacher: the teacher's logits, likewise; needed for distillation.
///   - targets: each token's next one; nil for the last of a window.
///   - factors: what the loss of one token counts in the loss of the batch: for the divergence, and for the
///     next token. nil for no gradient: then `logits` stay as they are.
package func lossGradient(
  logits: inout Matrix, teacher: Matrix?, targets: [Int32?],
  factors: (divergence: Float, crossEntropy: Float)?, on compute: Compute = .automatic
) -> LossSums {
  let (rows, columns) = (logits.rows, logits.columns)
  precondition(targets.count == rows, "lossGradient: \(targets.count) targets for \(rows) tokens")
  if let teacher {
    precondition(
      teacher.rows == rows && teacher.columns == columns,
      "lossGradient: logits are \(rows) × \(columns), the teacher's \(teacher.rows) × \(teacher.columns)"
    )
  }
  let parts = logits.values.withUnsafeMutableBufferPointer { logits in
    nonisolated(unsafe) let x = logits.start
    return Parallel.map(rows, threads: compute.threads) { row in
      let student = x + row * columns
      guard let teacher else {
        return tokenLoss(student, nil, columns, targets[row], factors, compute.kernels)
      }
      return teacher.values.withUnsafeBufferPointer {
        tokenLoss(
          student, $0.start + row * columns, columns, targets[row], factors, compute.kernels)
      }
    }
  }
  var sums = LossSums()
  for part in parts { sums += part }
  return sums
}

private func tokenLoss(
  _ x: UnsafeMutablePointer<Float>, _ teacher: UnsafePointer<Float>?, _ columns: Int,
  _ target: Int32?, _ factors: (divergence: Float, crossEntropy: Float)?, _ kernels: KernelSet
) -> LossSums {
  var loss = LossSums()
  var (maximum, sum) = (-Float.infinity, 0.0)
  kernels.logSumExp(columns, x, maximum: &maximum, sum: &sum)
  let normaliser = Double(maximum) + Math.logarithm(sum)
  var factor: Float = 0
  if let target {
    loss.negativeLogLikelihood = normaliser - Double(x[Int(target)])
    loss.predictedTokens = 1
    factor = factors?.crossEntropy ?? 0
  }
  var (teacherMaximum, teacherSum, difference) = (-Float.infinity, 0.0, 0.0)
  var teacherFactor: Float = 0
  if let teacher {
    kernels.logSumExp(
      columns, teacher, minus: x, maximum: &teacherMaximum, sum: &teacherSum,
      difference: &difference)
    loss.divergence =
      difference / teacherSum + normaliser
      - (Double(teacherMaximum) + Math.logarithm(teacherSum))
    loss.divergenceTokens = 1
    teacherFactor = factors?.divergence ?? 0
  }
  guard let factors else { return loss }
  // (a + b) softmax(x) − a softmax(teacher) − b at the target.
  kernels.softmaxDifference(
    columns, x, maximum: maximum, factor: Float(Double(factor + teacherFactor) / sum),
    minus: teacherFactor == 0 ? nil : teacher, maximum: teacherMaximum,
    factor: Float(Double(teacherFactor) / teacherSum))
  if let target { x[Int(target)] -= factors.crossEntropy }
  return loss
}

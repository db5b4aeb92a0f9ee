import SparseCore
import TestSupport
import Testing

@Suite struct LogitLossTests {
  /// What is counted of a token's loss, and whether there is a teacher.
  struct Kind: Sendable, CustomTestStringConvertible {
    var divergence: Float
    var crossEntropy: Float
    var hasTeacher = true
    var testDescription: String {
      "\(divergence) · KL + \(crossEntropy) · CE\(hasTeacher ? "" : ", no teacher")"
    }
  }
  static let kinds = [
    Kind(divergence: 0.25, crossEntropy: 0), Kind(divergence: 0, crossEntropy: 0.5),
    Kind(divergence: 0.25, crossEntropy: 0.5),
    Kind(divergence: 0, crossEntropy: 0.5, hasTeacher: false),
    Kind(divergence: 0.25, crossEntropy: 0.5, hasTeacher: false),
  ]

  private struct Case {
    let logits: Matrix
    let teacher: Matrix?
    let targets: [Int32?]

    /// Six tokens, of which two have no next one.
    ///
    /// Some logits lie at ±80, and a token's are all alike.
    init(_ kind: Kind, vocabulary: Int, size: Float) {
      var logits = randomMatrix(6, vocabulary, seed: 1)
      var teacher = randomMatrix(6, vocabulary, seed: 2)
      logits.scale(by: size)
      teacher.scale(by: size)
      for column in 0..<vocabulary {
        logits[3, column] = 1
        logits[4, column] = column % 3 == 0 ? 80 : -80
        teacher[4, column] = column % 2 == 0 ? -80 : 80
      }
      self.logits = logits
      self.teacher = kind.hasTeacher ? teacher : nil
      targets = [0, Int32(vocabulary - 1), nil, Int32(vocabulary / 2), Int32(vocabulary / 3), nil]
    }

    /// Of each token the divergence and the negative log-likelihood.
    func losses(_ logits: Matrix64) -> (divergences: [Double], likelihoods: [Double]) {
      (
        teacher.map { Reference.divergences(logits, teacher: Matrix64($0)) }
          ?? [Double](repeating: 0, count: 6),
        Reference.negativeLogLikelihoods(logits, targets: targets)
      )
    }

    /// An exponential errs by two ulp, and by the rounding of x − max in its exponent: of a share, (3 + max − x) ulp.
    private func errors(_ logits: Matrix64) -> Matrix64 {
      var result = Reference.logSoftmax(logits)
      for index in result.values.indices {
        let share = Math.exponential(result.values[index])
        result.values[index] = share * (6 - result.values[index]) * ulp
      }
      return result
    }

    func gradientBounds(_ kind: Kind) -> Matrix64 {
      let hasTeacher = teacher != nil
      var result = errors(Matrix64(logits))
      let other = teacher.map { errors(Matrix64($0)) }
      for row in 0..<6 {
        let weight =
          Double(targets[row] == nil ? 0 : kind.crossEntropy)
          + Double(hasTeacher ? kind.divergence : 0)
        for column in 0..<logits.columns {
          result[row, column] *= weight
          result[row, column] += Double(kind.divergence) * (other?[row, column] ?? 0)
          if targets[row] == Int32(column) {
            result[row, column] += ulp * Double(kind.crossEntropy)
          }
        }
      }
      return result
    }

    /// The logarithm of a sum errs by what the sum errs in its size; a divergence, by its shares times t − x too.
    func lossBounds() -> (divergence: Double, likelihood: Double) {
      let sumError = errors(Matrix64(logits)).values.reduce(0, +)
      guard let teacher else { return (0, sumError + 1e-12) }
      let shares = errors(Matrix64(teacher))
      var apart = 0.0
      for (index, share) in shares.values.enumerated() {
        apart += share * (1 + abs(Double(teacher.values[index]) - Double(logits.values[index])))
      }
      return (sumError + 2 * apart + 1e-12, sumError + 1e-12)
    }
  }

  @Test(arguments: kinds, [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 100, 1000])
  func gradientIsTheDerivativeOfTheLoss(kind: Kind, vocabulary: Int) {
    guard isOptimized || vocabulary < 40 else { return }
    for size: Float in [2, 30] {
      let data = Case(kind, vocabulary: vocabulary, size: size)
      let weights = Matrix64(
        rows: 12, columns: 1,
        (0..<6).flatMap { _ in [Double(kind.divergence), Double(kind.crossEntropy)] })
      let numeric = NumericGradient(
        at: Matrix64(data.logits), weights: weights, singles: singleValues, seed: 3
      ) { moved in
        let losses = data.losses(moved)
        return zip(losses.divergences, losses.likelihoods).flatMap { [$0, $1] }
      }
      let bounds = data.gradientBounds(kind)
      onAllKernels("\(kind), vocabulary \(vocabulary)") { compute in
        var gradient = data.logits
        _ = lossGradient(
          logits: &gradient, teacher: data.teacher, targets: data.targets,
          factors: (kind.divergence, kind.crossEntropy), on: compute)
        return [gradient]
      } check: {
        numeric.fault(in: $0[0], bounds: bounds)
      }
    }
  }

  @Test(arguments: kinds, [1, 2, 17, 100])
  func lossesAreThoseOfTheFormulas(kind: Kind, vocabulary: Int) {
    for size: Float in [2, 30] {
      let data = Case(kind, vocabulary: vocabulary, size: size)
      let expected = data.losses(Matrix64(data.logits))
      let bounds = data.lossBounds()
      for kernels in KernelSet.available {
        let compute = Compute(kernels: kernels, threads: 2)
        var logits = data.logits
        let loss = lossGradient(
          logits: &logits, teacher: data.teacher, targets: data.targets, factors: nil, on: compute)
        #expect(bits(logits.values) == bits(data.logits.values), "there is no gradient")
        #expect(
          abs(loss.divergence - expected.divergences.reduce(0, +)) <= bounds.divergence)
        #expect(
          abs(loss.negativeLogLikelihood - expected.likelihoods.reduce(0, +)) <= bounds.likelihood)
        #expect(loss.divergenceTokens == (kind.hasTeacher ? 6 : 0) && loss.predictedTokens == 4)
        let withGradient = lossGradient(
          logits: &logits, teacher: data.teacher, targets: data.targets, factors: (1, 1),
          on: Compute(kernels: kernels, threads: 3))
        #expect(withGradient == loss)
      }
    }
  }

  /// A student that is its teacher has nothing to learn from it.
  ///
  /// Where a product is fused with a difference, the other
  /// product's rounding is left.
  @Test(arguments: KernelSet.available, [1, 17, 100])
  func equalLogitsDoNotDiverge(kernels: KernelSet, vocabulary: Int) {
    var logits = randomMatrix(5, vocabulary, seed: 1)
    logits.scale(by: 30)
    let teacher = logits
    let loss = lossGradient(
      logits: &logits, teacher: teacher, targets: [Int32?](repeating: nil, count: 5),
      factors: (1, 1), on: Compute(kernels: kernels, threads: 2))
    #expect(loss.divergence == 0 && loss.divergenceTokens == 5 && loss.predictedTokens == 0)
    let shares = Reference.logSoftmax(Matrix64(teacher)).values.map(Math.exponential)
    #expect(zip(logits.values, shares).allSatisfy { abs(Double($0)) <= ulp * $1 })
  }

  /// Probabilities sum to 1 whatever the logits, so every token's gradient sums to 0.
  @Test(arguments: KernelSet.available)
  func gradientsOfATokenSumToZero(kernels: KernelSet) {
    let data = Case(Kind(divergence: 1, crossEntropy: 1), vocabulary: 100, size: 30)
    var gradient = data.logits
    _ = lossGradient(
      logits: &gradient, teacher: data.teacher, targets: data.targets, factors: (1, 1),
      on: Compute(kernels: kernels, threads: 1))
    for token in 0..<6 {
      let sum = row(gradient, token).reduce(0) { $0 + Double($1) }
      #expect(abs(sum) <= 40 * ulp, "token \(token)")
    }
  }
}

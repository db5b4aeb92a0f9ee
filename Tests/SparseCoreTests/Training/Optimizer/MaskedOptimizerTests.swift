import SparseCore
import TestSupport
import Testing

@Suite struct MaskedOptimizerTests {
  static let rules: [any OptimizerRule] = [
    AdamW(weightDecay: 0.3), SGD(weightDecay: 0.3), SGD(momentum: 0.5, nesterov: true),
    SGD(momentum: 0),
  ]

  @Test(arguments: KernelSet.available, rules.indices)
  func prunedWeightsAreZeroAfterEveryStep(kernels: KernelSet, rule: Int) throws {
    let data = try TrainingCase()
    var optimizer = MaskedOptimizer(Self.rules[rule], for: data.parameters)
    let trained = data.parameters.map(TrainingCase.trained)
    var weights = data.weights  // not 0 where the masks prune
    for step in 0..<50 {
      var gradients = data.gradients(at: step)
      try optimizer.step(
        &weights, gradients: &gradients, learningRate: 0.1, clippingNorm: step < 25 ? nil : 5,
        on: Compute(kernels: kernels, threads: 2))
      for (kept, matrix) in zip(trained + trained, weights + gradients) {
        let isZero = zip(matrix.values, kept).allSatisfy { $1 || $0.bitPattern == 0 }
        #expect(isZero, "\(matrix.rows) × \(matrix.columns), step \(step)")
      }
    }
    for (before, after) in zip(data.weights, weights) where before.rows > 0 {
      #expect(before != after)
    }
  }

  /// A masked parameter trains as its kept weights would by themselves.
  @Test(arguments: KernelSet.available, rules.indices)
  func keptWeightsTrainAsIfAlone(kernels: KernelSet, rule: Int) throws {
    let data = try TrainingCase(seed: 5)
    func kept(_ matrices: [Matrix]) -> [Matrix] {
      zip(data.parameters, matrices).map { parameter, matrix in
        let values = zip(matrix.values, TrainingCase.trained(parameter)).filter(\.1).map(\.0)
        return Matrix(rows: 1, columns: values.count, values)
      }
    }
    var (whole, alone) = (data.weights, kept(data.weights))
    var optimizer = MaskedOptimizer(Self.rules[rule], for: data.parameters)
    var other = MaskedOptimizer(
      Self.rules[rule],
      for: zip(data.parameters, alone).map {
        .init(name: $0.name, rows: 1, columns: $1.columns, decays: $0.decays)
      })
    for step in 0..<4 {
      var gradients = data.gradients(at: step)
      var keptGradients = kept(gradients)
      let norm = try optimizer.step(
        &whole, gradients: &gradients, learningRate: 0.1,
        on: Compute(kernels: kernels, threads: 2))
      let same = try other.step(&alone, gradients: &keptGradients, learningRate: 0.1)
      #expect(abs(norm - same) <= 1e-14 * norm)
    }
    #expect(bits(kept(whole)) == bits(alone))
  }

  @Test(arguments: rules.indices)
  func resultsHaveTheSameBitsOnAllThreadsAndKernels(rule: Int) throws {
    let data = try TrainingCase(seed: 3, isLarge: true)
    func run(_ compute: Compute) throws -> ([[UInt32]], OptimizerState, [UInt64]) {
      var optimizer = MaskedOptimizer(Self.rules[rule], for: data.parameters)
      var weights = data.weights
      var norms: [UInt64] = []
      for step in 0..<2 {
        var gradients = data.gradients(at: step)
        norms.append(
          try optimizer.step(
            &weights, gradients: &gradients, learningRate: 0.1, clippingNorm: 3, on: compute
          ).bitPattern)
      }
      return (bits(weights), optimizer.state, norms)
    }
    let expected = try run(Compute(kernels: .best, threads: 1))
    for kernels in KernelSet.available {
      for threads in 1...3 {
        let found = try run(Compute(kernels: kernels, threads: threads))
        #expect(found == expected, "\(kernels), \(threads) threads")
      }
    }
  }

  @Test(arguments: KernelSet.available)
  func normIsThatOfTrainedWeightsAlone(kernels: KernelSet) throws {
    let data = try TrainingCase()
    var optimizer = MaskedOptimizer(SGD(), for: data.parameters)
    var (weights, gradients) = (data.weights, data.gradients(at: 0))
    var sum = 0.0
    for (parameter, gradient) in zip(data.parameters, gradients) {
      for (value, kept) in zip(gradient.values, TrainingCase.trained(parameter)) where kept {
        sum += Double(value) * Double(value)
      }
    }
    let norm = try optimizer.step(
      &weights, gradients: &gradients, learningRate: 0.1,
      on: Compute(kernels: kernels, threads: 2))
    #expect(abs(norm - sum.squareRoot()) <= 1e-13 * norm)
  }

  /// 3 and 4 are kept of a masked gradient, 12 of one without a mask: a norm of 13.
  @Test(arguments: KernelSet.available, [nil, 26, 13.1, 6.5] as [Double?])
  func gradientsAreClippedByTheirNorm(kernels: KernelSet, limit: Double?) throws {
    let mask = try Mask24(keepingLargest: Matrix(rows: 1, columns: 4, [0, 1, 0, 1]))
    var optimizer = MaskedOptimizer(
      SGD(momentum: 0),
      for: [
        .init(name: "masked", rows: 1, columns: 4, mask: mask),
        .init(name: "gain", rows: 1, columns: 1),
      ])
    var weights = [Matrix(rows: 1, columns: 4), Matrix(rows: 1, columns: 1)]
    var gradients = [
      Matrix(rows: 1, columns: 4, [100, 3, .nan, -4]), Matrix(rows: 1, columns: 1, [12]),
    ]
    let norm = try optimizer.step(
      &weights, gradients: &gradients, learningRate: 1, clippingNorm: limit,
      on: Compute(kernels: kernels, threads: 1))
    #expect(norm == 13)
    let factor = Float(limit == 6.5 ? 6.5 / (13 + 1e-6) : 1)
    #expect(gradients[0].values == [0, 3 * factor, 0, -4 * factor])
    #expect(gradients[1].values == [12 * factor])
    #expect(weights[0].values == gradients[0].values.map { -$0 })
    #expect(weights[1].values == [-12 * factor])
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func aGradientThatIsNoNumberChangesNothing(bad: Float) throws {
    let data = try TrainingCase()
    var optimizer = MaskedOptimizer(AdamW(), for: data.parameters)
    var weights = data.weights
    try optimizer.train(&weights, on: data, steps: 0..<3)
    let (before, state) = (weights, optimizer.state)
    var gradients = data.gradients(at: 3)
    let mask = try #require(data.parameters[1].mask)
    let (kept, pruned) = (mask.kept.firstIndex(of: true), mask.kept.lastIndex(of: false))
    let columns = mask.columns
    for place in [try #require(kept), try #require(pruned)] {
      gradients[1][place / columns, place % columns] = bad  // the pruned one is nobody's fault
    }
    gradients[4][0, 3] = bad
    let asked = gradients
    #expect(
      throws: OptimizerError.nonFiniteGradient(parameter: "parameter 1", count: 1, step: 3)
    ) {
      try optimizer.step(&weights, gradients: &gradients, learningRate: 0.1, clippingNorm: 1)
    }
    #expect(bits(weights) == bits(before) && bits(gradients) == bits(asked))
    #expect(optimizer.state == state && optimizer.steps == 3)
  }

  @Test func largestGradientsHaveAFiniteNorm() throws {
    let most = Float.greatestFiniteMagnitude
    var optimizer = MaskedOptimizer(
      SGD(momentum: 0), for: [.init(name: "w", rows: 1, columns: 40)])
    var weights = [Matrix(rows: 1, columns: 40)]
    var gradients = [Matrix(rows: 1, columns: 40, [Float](repeating: most, count: 40))]
    let norm = try optimizer.step(
      &weights, gradients: &gradients, learningRate: 1, clippingNorm: 1)
    #expect(abs(norm - Double(most) * 40.squareRoot()) <= 1e-14 * norm)
    #expect(weights[0].values.allSatisfy { abs($0 + 1 / Float(40).squareRoot()) < 1e-6 })
  }

  @Test func weightsAreChangedWhereTheyAre() throws {
    let data = try TrainingCase()
    var optimizer = MaskedOptimizer(AdamW(), for: data.parameters)
    var weights = data.parameters.map { Matrix(rows: $0.rows, columns: $0.columns) }
    func places() -> [UnsafeRawPointer?] {
      weights.map { $0.values.withUnsafeBytes(\.baseAddress) }
    }
    let before = places()
    try optimizer.train(&weights, on: data, steps: 0..<2)
    #expect(places() == before)
  }

  /// The example of ``MaskedOptimizer``.
  @Test func exampleFindsTheKeptWeights() throws {
    let dense = Matrix(rows: 1, columns: 8, [0.1, -3, 2, 0.5, 4, 0, -1, 6])
    let mask = try Mask24(keepingLargest: Matrix(rows: 1, columns: 8, dense.values.map(abs)))
    let parameter = MaskedOptimizer.Parameter(name: "weight", rows: 1, columns: 8, mask: mask)
    var optimizer = MaskedOptimizer(AdamW(weightDecay: 0), for: [parameter])
    let schedule = LearningRateSchedule(
      peak: 0.5, shape: .cosine, warmUpSteps: 5, totalSteps: 100)
    var weights = [Matrix(rows: 1, columns: 8)]
    for step in 0..<100 {
      let errors = zip(weights[0].values, dense.values).map { $0 - $1 }
      var gradients = [Matrix(rows: 1, columns: 8, errors)]
      try optimizer.step(
        &weights, gradients: &gradients, learningRate: schedule.rate(at: step), clippingNorm: 1)
    }
    for (value, expected) in zip(weights[0].values, [0, -3, 2, 0, 4, 0, 0, 6] as [Float]) {
      #expect(abs(value - expected) < 0.02)
    }
  }
}

import SparseCore
import TestSupport
import Testing

/// The weights of Tests/Fixtures/optimizers, and what torch made of them.
struct OptimizerGolden {
  let json: JSON

  init() throws {
    json = try JSON(
      parsing: MappedFile(path: Package.path("Tests/Fixtures/optimizers/golden.json")).bytes)
  }

  func doubles(_ value: JSON?) -> [Double] { (value?.array ?? []).map { $0.double ?? .nan } }

  func matrices(_ value: JSON?) -> [Matrix] {
    [
      Matrix(rows: 3, columns: 12, doubles(value?["masked"]).map(Float.init)),
      Matrix(rows: 1, columns: 5, doubles(value?["gain"]).map(Float.init)),
    ]
  }
}

@Suite struct OptimizerGoldenTests {
  static let rules: [(name: String, rule: any OptimizerRule)] = [
    ("adamw", AdamW()),
    ("adamw clipped", AdamW(beta1: 0.8, beta2: 0.95, epsilon: 0.05, weightDecay: 0.3)),
    ("sgd", SGD()),
    ("sgd plain", SGD(momentum: 0)),
    ("sgd nesterov", SGD(momentum: 0.7, weightDecay: 0.5, nesterov: true)),
  ]

  /// Six steps of weights of at most 8: each rounds a dozen times.
  @Test(arguments: KernelSet.available, rules.indices)
  func weightsAndNormsAreThoseOfTorch(kernels: KernelSet, index: Int) throws {
    let golden = try OptimizerGolden()
    let (name, rule) = Self.rules[index]
    let run = try #require(golden.json["runs"]?[name])
    let scores = golden.doubles(golden.json["mask"]).map(Float.init)
    let mask = try Mask24(keepingLargest: Matrix(rows: 3, columns: 12, scores))
    var optimizer = MaskedOptimizer(
      rule,
      for: [
        .init(name: "masked", rows: 3, columns: 12, mask: mask),
        .init(name: "gain", rows: 1, columns: 5),
      ])
    var weights = golden.matrices(golden.json["weights"])
    let steps = golden.json["gradients"]?.array ?? []
    let norms = golden.doubles(run["norms"])
    #expect(steps.count == 6 && norms.count == 6)
    for (step, rate) in golden.doubles(golden.json["rates"]).enumerated() {
      var gradients = golden.matrices(steps[step])
      let norm = try optimizer.step(
        &weights, gradients: &gradients, learningRate: rate, clippingNorm: run["clip"]?.double,
        on: Compute(kernels: kernels, threads: 2))
      #expect(abs(norm - norms[step]) <= 1e-14 * norm)
    }
    for (weight, key) in zip(weights, ["masked", "gain"]) {
      let expected = golden.doubles(run[key]).map { Expected(value: $0, magnitude: 1, terms: 11) }
      expectClose(weight.values, expected, "\(name) \(key)")
    }
  }
}

internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Which weights training ends with, and that nothing but its options decides them.
@Suite struct FinetuneCourseTests {
  private let place: TrainingPlace

  init() throws { place = try TrainingPlace(as: .float32) }

  /// A steady rate, and a measurement after every step.
  private func steady(
    _ steps: Int, to output: String = "out", _ edit: (inout FinetuneOptions) -> Void = { _ in }
  ) -> FinetuneOptions {
    place.options(.crossEntropy, to: output) {
      $0.training.length = .steps(steps)
      $0.training.shape = .constant
      $0.training.evaluationInterval = 1
      edit(&$0)
    }
  }

  @Test func theBestWeightsAreWrittenAndNotTheLast() throws {
    let climbs = try place.run(steady(6) { $0.training.rule = ClimbingRule(from: 4, factor: 2) })
    let losses = climbs.log.evaluations.map(\.loss.negativeLogLikelihood)
    #expect(climbs.best?.step == 3)
    #expect(losses[6] > losses[3], "\(losses)")
    try place.run(steady(3, to: "three"))
    #expect(try place.tensors("out") == place.tensors("three"))
    #expect(
      try place.place.manifest("out/model.safetensors")["training"]?["steps"] == 6)
  }

  @Test func withoutHeldOutWindowsTheLastWeightsAreWritten() throws {
    func last(_ steps: Int, _ output: String, _ rule: any OptimizerRule) throws -> FinetuneReport {
      try place.run(
        steady(steps, to: output) {
          $0.heldOutWindows = 0
          $0.training.rule = rule
        })
    }
    let report = try last(3, "out", ClimbingRule(from: 2))
    #expect(report.best == nil && report.log.evaluations.isEmpty)
    #expect(report.windows.count == 9)
    _ = try last(2, "two", ClimbingRule(from: 2))
    _ = try last(1, "one", ClimbingRule(from: 2))
    let (one, two, three) = try (
      place.tensors("one"), place.tensors("two"), place.tensors("out")
    )
    #expect(three != two && two != one)
  }

  @Test func anotherTextCanBeMeasuredOn() throws {
    let text = TrainingPlace.text(9, first: 20)  // more than pass through the model together
    let report = try place.run(steady(2) { $0.heldOut = text })
    #expect(report.windows.count == 9, "none of the text is set aside")
    let before = try place.perplexity("sparse", of: text)
    #expect(abs(report.log.evaluations[0].loss.perplexity / before - 1) < 1e-5)
    let after = try place.perplexity("out", of: text)
    #expect(abs((report.best?.loss.perplexity ?? 0) / after - 1) < 1e-5)
  }

  @Test(arguments: [1, 2]) func patienceEndsWhatGetsNoBetter(patience: Int) throws {
    let report = try place.run(
      steady(9) {
        $0.training.rule = ClimbingRule(from: 3, factor: 4)
        $0.training.patience = patience
      })
    #expect(report.best?.step == 2)
    #expect(report.log.earlyStop == .patience(step: 2 + patience))
    #expect(report.log.steps.count == 2 + patience)
    #expect(
      report.log.earlyStop?.description
        == "stopped after step \(2 + patience): the held-out loss got no better")
  }

  @Test func epochsAreStepsOverAllWindows() throws {
    let report = try place.run(place.options { $0.training.length = .epochs(3) })
    #expect(report.log.steps.count == 6, "8 windows, 4 in a step")
    // Every window comes once before any comes again, in another order each time.
    let options = place.options().training
    let orders = (0..<3).map { epoch in
      (2 * epoch..<2 * epoch + 2).flatMap { options.windows(ofStep: $0, count: 8) }
    }
    for order in orders { #expect(order.sorted() == Array(0..<8)) }
    #expect(Set(orders).count == 3)
  }

  @Test func theProgressOfAStepGrowsToItsEnd() throws {
    var shares: [Int] = []
    var total = 0
    try place.run(
      place.options {
        ($0.training.batch, $0.training.accumulation) = (2, 2)
        $0.training.length = .steps(1)
      }
    ) {
      guard $0.step.hasPrefix("step 1 of 1") else { return }
      shares.append($0.done)
      total = $0.total
    }
    // Two blocks there and back, and the head: of each of two batches.
    #expect(shares == shares.sorted(), "\(shares)")
    #expect(Set(shares.filter { $0 > 0 }).count == 10 && shares.last ?? 0 > total * 3 / 4)
  }

  /// The gradient of a step is one sum whatever it is cut into, but for the order in which it is summed.
  @Test func accumulationIsALargerBatch() throws {
    func train(_ batch: Int, _ accumulation: Int, _ output: String) throws -> FinetuneReport {
      try place.run(
        steady(3, to: output) {
          $0.training.rule = SGD(weightDecay: 0)
          $0.training.learningRate = 0.05
          (($0.training.batch), $0.training.accumulation) = (batch, accumulation)
        })
    }
    let reports = try [
      train(4, 1, "whole"), train(2, 2, "halves"), train(1, 4, "ones"), train(2, 1, "less"),
    ]
    let start = try place.values("sparse")
    func movement(_ name: String) throws -> [Double] {
      zip(try place.values(name), start).map { Double($0) - Double($1) }
    }
    func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let whole = try movement("whole")
    // A weight's gradient sums 4 · 12 products and the ways there some hundreds more, each rounded to 2⁻²⁴; and
    // each of three steps rounds weights of size 1.
    let bound = 1e-4 * norm(whole) + 3 * Double(whole.count).squareRoot() * 0x1p-24
    for name in ["halves", "ones"] {
      #expect(norm(zip(try movement(name), whole).map { $0 - $1 }) < bound, "\(name)")
    }
    #expect(norm(zip(try movement("less"), whole).map { $0 - $1 }) > 100 * bound)
    for report in reports.prefix(3) {
      for (one, other) in zip(report.log.steps, reports[0].log.steps) {
        let (a, b) = (one.loss.negativeLogLikelihood, other.loss.negativeLogLikelihood)
        #expect(abs(a / b - 1) < 1e-5)
        #expect(abs(one.gradientNorm / other.gradientNorm - 1) < 1e-4)
      }
    }
  }

  @Test func theBytesDoNotDependOnTheThreads() throws {
    for threads in [1, 2, 3] {
      try place.run(place.options(.both, to: "out\(threads)"), threads: threads)
    }
    try place.run(place.options(.both, to: "again"), threads: 2)
    let first = try place.bytes("out1")
    for name in ["out2", "out3", "again"] { #expect(try place.bytes(name) == first, "\(name)") }
  }

  @Test func theSeedDecidesTheOrderOfTheWindows() throws {
    for seed in [0, 1] as [UInt64] {
      try place.run(steady(2, to: "out\(seed)") { $0.training.seed = seed })
    }
    #expect(try place.tensors("out0") != place.tensors("out1"))
  }

  /// After every single step, whatever momentum and decay would do to pruned weights.
  @Test(arguments: TrainingRule.allCases) func masksHoldAfterEveryStep(rule: TrainingRule) throws {
    let checkpoint = try place.checkpoint("sparse")
    let model = try LanguageModel(checkpoint)
    let sparse = Set(try #require(try checkpoint.promisedWeights()))
    let parameters = try TrainingParameters(
      model.trainedTensors(but: []), of: checkpoint, on: .automatic, isSparse: sparse.contains)
    let options = TrainingOptions(
      objective: .crossEntropy, length: .steps(5), batch: 4, learningRate: 0.01,
      rule: rule.rule(weightDecay: 0.5), evaluationInterval: 1)
    var trainer = Trainer(
      pass: TrainingPass(decoder: model, compute: .automatic), options: options,
      windows: place.windows, heldOut: place.windows.first(1), parameters: parameters,
      optimizer: MaskedOptimizer(options.rule, for: parameters.forOptimizer))
    var steps: [Int] = []
    var last = parameters.values
    try trainer.run { _ in
    } evaluated: { trainer, _ in
      let step = trainer.log.steps.count
      steps.append(step)
      for (place, name) in trainer.parameters.names.enumerated() {
        let weight = trainer.parameters.values[place]
        if step > 0 { #expect(weight != last[place], "\(name) after step \(step)") }
        guard let mask = trainer.parameters.masks[place] else { continue }
        #expect(mask.violations(in: weight) == 0, "\(name) after step \(step)")
        let negative = weight.values.count { $0.bitPattern == 0x8000_0000 }
        #expect(step == 0 || negative == 0, "\(name) after step \(step)")
      }
      last = trainer.parameters.values
    }
    #expect(steps == [0, 1, 2, 3, 4, 5])
    #expect(trainer.parameters.masks.count { $0 != nil } == 14)
  }
}

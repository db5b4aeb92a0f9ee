import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a journal keeps of the runs that a longer one is made of.
@Suite struct FinishedStepTests {
  private func log(_ stop: EarlyStop?) -> TrainingLog {
    let loss = TrainingLoss(divergence: 0.1, negativeLogLikelihood: 1 / 3)
    var log = TrainingLog()
    log.steps = [TrainingStep(step: 1, learningRate: 1e-4, loss: loss, gradientNorm: 2.5)]
    log.evaluations = [
      TrainingEvaluation(step: 0, loss: loss),
      TrainingEvaluation(
        step: 1, loss: TrainingLoss(divergence: nil, negativeLogLikelihood: 0.3)),
    ]
    log.earlyStop = stop
    return log
  }

  private func written(_ step: FinishedStep) throws -> FinishedStep {
    let line = JournalEntry.step(step).json.text()
    let entry = try #require(
      try JournalEntry(JSON(parsing: ByteView(copying: Array(line.utf8)))))
    guard case .step(let read) = entry else { throw FinishedStepError() }
    return read
  }

  private struct FinishedStepError: Error {}

  @Test(
    arguments: [
      nil, .patience(step: 3), .diverged(step: 4, loss: 7.25),
      .nonFiniteGradient(step: 5, tensor: "w", count: 6),
    ] as [EarlyStop?])
  func aTrainingIsReadAsItWasWritten(stop: EarlyStop?) throws {
    for best in [nil, log(nil).evaluations.last] {
      var step = FinishedStep("trained")
      step.training = FinetuneReport(
        objective: "distill", output: "/out", seconds: 0.25, peakResidentBytes: 3,
        trainedWeights: 1 << 40, prunedWeights: 7, layers: (5, 6), windows: (8, 512),
        log: log(stop), best: best,
        blocks: [])
      let read = try written(step)
      #expect(read.name == "trained" && read.pruning == nil)
      #expect(read.training?.log == log(stop))
      #expect(read.training?.best == best)
      #expect(read.training?.json == step.training?.json)
    }
  }

  @Test func aLossThatIsNoNumberIsKept() throws {
    var step = FinishedStep("trained")
    step.training = FinetuneReport(
      objective: "distill", output: "/out", seconds: 0, peakResidentBytes: 0, trainedWeights: 0,
      prunedWeights: 0, layers: (3, 4), windows: (1, 2), log: log(.diverged(step: 9, loss: .nan)),
      best: nil,
      blocks: [])
    let stop = try #require(try written(step).training?.log.earlyStop)
    guard case .diverged(step: 9, let loss) = stop else { throw FinishedStepError() }
    #expect(loss.isNaN)
  }

  @Test(arguments: [
    ("", "", true), ("\"trained\"", "3", false), ("\"layers\":[]", "\"layers\":null", false),
    ("\"layers\":[]", "\"layers\":[3]", false), ("\"blocks\":[]", "\"blocks\":[null]", false),
    ("\"calibration\":null", "\"calibration\":{}", false),
    ("\"sizes\":null", "\"sizes\":[1,2,3]", false), (",\"sizes\":null", "", false),
    ("\"training\":null", "\"training\":{}", false), (",\"training\":null", "", false),
    ("\"output\":\"", "\"input\":\"", false),
    ("\"identity\":null", "\"identity\":3", false), (",\"identity\":null", "", false),
  ])
  func whatThisVersionDoesNotWriteIsNotRead(part: String, instead: String, isRead: Bool) throws {
    let pruning = FinishedPruning(
      PruneReport(
        method: "wanda", output: "/out", seconds: 0, peakResidentBytes: 0, calibration: nil,
        layers: [], options: PruneOptions(), inputFingerprint: nil, sizes: nil))
    let line = JournalEntry.step(FinishedStep("trained", pruning: pruning)).json.text()
    let changed = part.isEmpty ? line : line.replacing(part, with: instead)
    #expect(part.isEmpty || changed != line)
    let json = try JSON(parsing: ByteView(copying: Array(changed.utf8)))
    #expect((JournalEntry(json) != nil) == isRead, "\(changed)")
  }
}

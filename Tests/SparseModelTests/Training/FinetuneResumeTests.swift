internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Trainings that are cut short and gone on with, and what is refused then.
@Suite struct FinetuneResumeTests {
  /// The failure that a test brings about.
  struct Cut: Error {}

  let place: TrainingPlace
  var partial: String { place.folder["cut.partial"] }

  init() throws { place = try TrainingPlace() }

  /// What is run: a name for messages, and how the short training differs.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let edit: @Sendable (inout FinetuneOptions) -> Void
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "both, adamw, some of it") {
      ($0.training.objective, $0.frozen) = (.both, ["*.0.input_layernorm*"])
    },
    Case(name: "distill, sgd, accumulated") {
      ($0.training.rule, $0.training.batch, $0.training.accumulation) = (SGD(), 2, 2)
    },
    Case(name: "cross-entropy, nothing held out") {
      ($0.training.objective, $0.dense, $0.heldOutWindows) = (.crossEntropy, nil, 0)
    },
    Case(name: "the worst comes last") {
      $0.training.rule = ClimbingRule(from: 3)
      $0.training.shape = .constant
    },
    Case(name: "patience") {
      ($0.training.rule, $0.training.patience) = (ClimbingRule(from: 1), 1)
    },
    Case(name: "blocks") {
      $0.reconstruction = ReconstructionOptions(epochs: 2, batch: 4, learningRate: 2e-3)
    },
    Case(name: "blocks, the first as it is") {
      $0.reconstruction = ReconstructionOptions(epochs: 2, batch: 4, learningRate: 2e-3)
      $0.frozen = ["*.layers.0.*"]
    },
  ]

  func options(
    _ what: Case, to output: String, resumes: Bool = false, force: Bool = false
  ) -> FinetuneOptions {
    place.options(to: output) {
      $0.training.length = .steps(4)
      what.edit(&$0)
      ($0.resumes, $0.force) = (resumes, force)
    }
  }

  /// Goes on with what a cut has left until it is done.
  func resume(_ what: Case, threads: Int = 1) throws -> FinetuneReport {
    try place.run(options(what, to: "cut", resumes: true), threads: threads)
  }

  @Test(arguments: cases) func aRunThatIsCutAnywhereEndsWithTheSameBytes(_ what: Case) throws {
    var count = 0
    let whole = try place.run(options(what, to: "whole")) { _ in count += 1 }
    for cut in [count / 4, count * 2 / 3] {
      // Cut again and again, always after as many reports.
      var runs = 0
      var report: FinetuneReport?
      while report == nil {
        runs += 1
        var reports = 0
        do {
          report = try place.run(options(what, to: "cut", resumes: true), threads: runs) { _ in
            reports += 1
            if reports > cut && runs < 4 { throw Cut() }
          }
        } catch let error as UnfinishedRun {
          #expect(error.error is Cut && error.folder == partial)
        } catch is Cut {
          #expect(!FileSystem.isTaken(partial), "nothing was finished")
        }
      }
      #expect(try place.bytes("cut") == place.bytes("whole"), "cut after \(cut) of \(count)")
      #expect(report?.log == whole.log)
      #expect(report?.best == whole.best)
      #expect(report?.blocks == whole.blocks)
      #expect(!FileSystem.isTaken(partial))
      try FileManager.default.removeItem(atPath: place.folder["cut"])
    }
  }

  /// Cuts a training at the first report that begins so, and returns what it leaves.
  func leave(_ what: Case, at step: String, after skipped: Int = 0) throws -> UnfinishedRun? {
    var seen = 0
    do {
      try place.run(options(what, to: "cut")) {
        guard $0.step.hasPrefix(step) else { return }
        seen += 1
        if seen > skipped { throw Cut() }
      }
    } catch let error as UnfinishedRun {
      return error
    }
    Issue.record("nothing was left at '\(step)'")
    return nil
  }

  @Test(arguments: [
    ("step 1 of 4", 0, "0 steps"),
    ("step 2 of 4", 3, "1 step"), ("measure after step 2", 0, "2 steps"),
    ("step 3 of 4", 0, "2 steps"), ("measure after step 4", 2, "4 steps"),
    ("copy the rest", 0, "4 steps"),
  ])
  func whereverItIsCutItEndsWithTheSameBytes(step: String, skipped: Int, done: String) throws {
    let what = Self.cases[0]
    try place.run(options(what, to: "whole"))
    let error = try leave(what, at: step, after: skipped)
    #expect(
      error?.description
        == "Cut(); \(done) done, kept in \(partial): the same command with --resume goes on there")
    _ = try resume(what)
    #expect(try place.bytes("cut") == place.bytes("whole"))
  }

  @Test func aRunThatHasFinishedNothingLeavesNothing() throws {
    #expect(throws: Cut.self) {
      try place.run(options(Self.cases[0], to: "cut")) {
        if $0.step.hasPrefix("measure after step 0") { throw Cut() }
      }
    }
    #expect(
      try FileSystem.names(in: place.folder.path).sorted()
        == ["model", "sparse", "text.safetensors"])
  }

  @Test(arguments: cases) func aRunThatOnlyLacksItsEndIsEnded(_ what: Case) throws {
    let journal = KeptJournal(of: place.folder["cut"])
    let whole = try place.run(options(what, to: "cut")) { _ in try journal.keep() }
    let bytes = try place.bytes("cut")
    try journal.restore()
    #expect(throws: CheckpointOutputError.exists(path: place.folder["cut"])) {
      try place.run(options(what, to: "cut"))
    }
    let report = try resume(what)
    #expect(report.json == whole.json && report.log == whole.log)
    #expect(try place.bytes("cut") == bytes)
    #expect(!FileSystem.isTaken(partial))
  }

  @Test func stepsThatAreMadeAreNotMadeAgain() throws {
    _ = try leave(Self.cases[0], at: "step 4")
    var steps: Set<String> = []
    try place.run(options(Self.cases[0], to: "cut", resumes: true)) {
      steps.insert(String($0.step.prefix { $0 != "," }))
    }
    #expect(!steps.contains { ["step 1 of 4", "step 2 of 4", "step 3 of 4"].contains($0) })
    #expect(steps.contains("step 4 of 4") && steps.contains("measure after step 4 of 4"))
  }

  @Test func blocksThatAreTrainedAreNotTrainedAgain() throws {
    let blocks = Self.cases[5]
    let whole = try place.run(options(blocks, to: "whole"))
    let error = try leave(blocks, at: "train block 2")
    #expect(error?.done == "1 block")
    // The second block is all that is trained; the first is passed on the way.
    var reports: [String: Int] = [:]
    let report = try place.run(options(blocks, to: "cut", resumes: true)) {
      reports[$0.step, default: 0] += 1
    }
    #expect(
      reports["train block 1 of 2", default: 0] < reports["train block 2 of 2", default: 0])
    #expect(report.blocks == whole.blocks)
    #expect(try place.bytes("cut") == place.bytes("whole"))
  }

  /// A run that is killed keeps what the last measurement has kept, and what was kept since then.
  @Test(arguments: [(Duration.zero, 3), (.seconds(3600), 2)])
  func stepsBetweenMeasurementsAreKeptInTime(interval: Duration, kept: Int) throws {
    let what = Self.cases[0]
    try place.run(options(what, to: "whole"))
    var cut = options(what, to: "cut")
    cut.keepingInterval = interval
    try place.run(cut) {
      guard $0.step.hasPrefix("step 4 of 4"), !FileSystem.isTaken(place.folder["killed.partial"])
      else { return }
      try FileManager.default.copyItem(atPath: partial, toPath: place.folder["killed.partial"])
    }
    #expect(try place.bytes("cut") == place.bytes("whole"))
    let killed = place.folder["killed"]
    #expect(
      throws: JournalError.unfinished(folder: killed + ".partial", done: kept.counting("step"))
    ) { try place.run(options(what, to: "killed")) }
    try place.run(options(what, to: "killed", resumes: true))
    #expect(try place.bytes("killed") == place.bytes("whole"))
  }

  /// What is done is told while the run can still be gone on with: a longer run's journal is never behind.
  @Test(arguments: [cases[0], cases[5]])
  func whoeverIsToldThatARunIsDoneMayFail(_ what: Case) throws {
    let whole = try place.run(options(what, to: "whole"))
    #expect(throws: UnfinishedRun.self) {
      try FinetuneRun(place.sparse, options(what, to: "cut")).run(on: .automatic) { _ in
      } finished: { _ in
        throw Cut()
      }
    }
    #expect(FileSystem.isTaken(place.folder["cut"]) && FileSystem.isTaken(partial))
    var steps: Set<String> = []
    let report = try place.run(options(what, to: "cut", resumes: true)) { steps.insert($0.step) }
    #expect(!steps.contains { $0.hasPrefix("step") || $0.hasPrefix("train block") })
    #expect(report.log == whole.log && report.blocks == whole.blocks)
    #expect(try place.bytes("cut") == place.bytes("whole"))
    #expect(!FileSystem.isTaken(partial))
  }

  @Test func whatAKilledRunWasWritingIsClearedAway() throws {
    let what = Self.cases[0]
    _ = try leave(what, at: "step 3")
    try place.folder.write("half", to: "cut.partial/training/state.safetensors.tmp-1")
    try place.run(options(what, to: "cut", resumes: true)) { _ in
      let left = try FileSystem.names(in: partial + "/training")
      #expect(!left.contains("state.safetensors.tmp-1"))
    }
  }

  @Test func unfinishedWorkIsNotThrownAwayUnasked() throws {
    let what = Self.cases[0]
    _ = try leave(what, at: "step 3")
    let error = #expect(throws: JournalError.self) { try place.run(options(what, to: "cut")) }
    #expect(error == .unfinished(folder: partial, done: "2 steps"))
    #expect(
      error?.description
        == "\(partial): an unfinished run has done 2 steps; --resume goes on with it, --force begins anew"
    )
    try place.run(options(what, to: "cut", force: true))
    #expect(!FileSystem.isTaken(partial))
  }

  static let changes: [(part: String, edit: @Sendable (inout FinetuneOptions) -> Void)] = [
    ("--objective", { $0.training.objective = .distill }),
    ("the length of the training", { $0.training.length = .steps(5) }),
    ("--batch", { ($0.training.batch, $0.training.accumulation) = (2, 2) }),
    ("--learning-rate", { $0.training.learningRate = 1e-3 }),
    ("--schedule", { $0.training.shape = .cosine }),
    ("--schedule", { $0.training.warmUpSteps = 1 }),
    ("--optimizer", { $0.training.rule = AdamW(weightDecay: 0.1) }),
    ("--clip", { $0.training.clippingNorm = 2 }),
    ("--scope", { $0.reconstruction = ReconstructionOptions() }),
    ("--seed", { $0.training.seed = 1 }),
    ("--evaluate-every", { $0.training.evaluationInterval = 1 }),
    ("--patience", { $0.training.patience = 3 }),
    ("--freeze", { $0.frozen = ["*norm*"] }),
    ("--shard-size", { $0.shardSize = 20_000 }),
    ("the text's size", { $0.data.length = 6 }),
    ("the held-out text", { $0.heldOutWindows = 2 }),
    ("the held-out text", { $0.heldOut = TrainingPlace.text(1) }),
  ]

  @Test func anotherTrainingIsNotGoneOnWith() throws {
    let what = Self.cases[0]
    _ = try leave(what, at: "step 3")
    func expectDifference(_ part: String, _ options: FinetuneOptions) throws {
      let error = #expect(throws: JournalError.self) { try place.run(options) }
      guard case .differs(partial, let found, _, _) = error else {
        Issue.record("\(part): \(String(describing: error))")
        return
      }
      #expect(found == part)
      #expect(FileSystem.isTaken(partial))
    }
    for (part, edit) in Self.changes {
      var other = options(what, to: "cut", resumes: true)
      edit(&other)
      try expectDifference(part, other)
    }
    try place.write(TrainingPlace.text(9, first: 1), to: "text.safetensors")
    try expectDifference("the text", options(what, to: "cut", resumes: true))
    try place.write(TrainingPlace.text(9), to: "text.safetensors")
    // With all as it was the training goes on.
    _ = try resume(what)
    try place.run(options(what, to: "whole"))
    #expect(try place.bytes("cut") == place.bytes("whole"))
  }

  @Test func anotherTeacherIsNotLearntFrom() throws {
    let what = Self.cases[0]
    _ = try leave(what, at: "step 3")
    var other = try EditedModel(TrainingPlace.qwen2)
    other.setBFloat16("model.norm.weight", at: 3, to: 2)
    try other.write(to: place.folder)
    let error = #expect(throws: JournalError.self) { try resume(what) }
    guard case .differs(_, let part, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(part.hasPrefix("tensor model.norm.weight ") && part.hasSuffix("of \(place.dense)"))
  }

  /// A measurement whose weights could not be kept is made again, or others would be written as the best.
  @Test func aMeasurementThatIsNotKeptIsForgotten() throws {
    let checkpoint = try place.checkpoint("sparse")
    let model = try LanguageModel(checkpoint)
    let parameters = try TrainingParameters(
      model.trainedTensors(but: []), of: checkpoint, on: .automatic, isSparse: { _ in false })
    let options = TrainingOptions(
      objective: .crossEntropy, length: .steps(2), batch: 4, learningRate: 1e-3,
      evaluationInterval: 1)
    var trainer = Trainer(
      pass: TrainingPass(decoder: model, compute: .automatic), options: options,
      windows: place.windows, heldOut: place.windows.first(1), parameters: parameters,
      optimizer: MaskedOptimizer(options.rule, for: parameters.forOptimizer))
    #expect(throws: Cut.self) {
      try trainer.run { _ in
      } evaluated: { trainer, _ in
        if trainer.log.steps.count == 1 { throw Cut() }
      }
    }
    #expect(trainer.log.evaluations.map(\.step) == [0])
    var measured: [Int] = []
    try trainer.run { _ in
    } evaluated: { trainer, isBest in
      if isBest { measured.append(trainer.log.steps.count) }
    }
    #expect(measured == [1, 2])
    #expect(trainer.log.evaluations.map(\.step) == [0, 1, 2])
  }
}

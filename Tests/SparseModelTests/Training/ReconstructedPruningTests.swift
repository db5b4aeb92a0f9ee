internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Pruning that trains what each block keeps before it goes on to the next one.
@Suite struct ReconstructedPruningTests {
  /// The failure that a test brings about.
  private struct Cut: Error {}

  private static let down = "model.layers.0.mlp.down_proj.weight"

  private func options(
    _ place: TrainingPlace, _ method: PruningMethod = .wanda, epochs: Int?, permutes: Bool,
    to output: String = "out", _ edit: (inout PruneOptions) -> Void = { _ in }
  ) -> PruneOptions {
    var options = PruneOptions(
      method: method, effort: .fast, permutes: permutes,
      reconstruction: epochs.map { ReconstructionOptions(epochs: $0, learningRate: 2e-3) },
      calibration: CalibrationOptions(source: .tokens(path: place.folder["text.safetensors"])),
      output: place.folder[output])
    edit(&options)
    return options
  }

  @discardableResult
  private func run(
    _ place: TrainingPlace, _ options: PruneOptions, threads: Int = 2,
    progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    try PruneRun(place.dense, options).run(on: Compute(threads: threads), progress: progress)
  }

  /// In whatever order the channels are in: the model that is written has to compute what the report says.
  @Test(arguments: ModelFixture.architectures.map { ($0, true) } + [(TrainingPlace.qwen2, false)])
  func theModelComesNearerToTheDenseOne(fixture: ModelFixture, permutes: Bool) throws {
    let place = try TrainingPlace(fixture, as: .float32, prunes: false)
    try run(place, options(place, epochs: nil, permutes: permutes, to: "plain"))
    let report = try run(place, options(place, epochs: 3, permutes: permutes))
    #expect(report.blocks.map(\.block) == [0, 1])
    let page = report.page(.init(command: ["sparsify"], model: "model", kernels: "scalar"))
    #expect(page.text.contains("Error of each block"))
    for block in report.blocks { #expect(block.after < 0.95 * block.before, "\(block)") }
    let (plain, out, dense) = try (
      place.checkpoint("plain"), place.checkpoint("out"), place.checkpoint("model")
    )
    let measured = try FinetuneBlocksTests.distance(out, from: dense, on: place.windows)
    #expect(abs(measured / report.blocks[1].after - 1) < 1e-4)
    #expect(try measured < FinetuneBlocksTests.distance(plain, from: dense, on: place.windows))
    let check = try out.check()
    #expect(check.passed && check.count(.sparse) == 14)
    #expect(out.tensors.map(\.info.spec) == dense.tensors.map(\.info.spec))
  }

  /// On the trained model, in its own words.
  @Test func theTextBecomesLessSurprising() throws {
    let place = try TrainingPlace(.tiny, prunes: false)
    let text = try ModelFixture.tiny.windows(
      "calibration.txt", length: 24, count: isOptimized ? 4 : 2)
    try place.write(text, to: "text.safetensors")
    try run(place, options(place, epochs: nil, permutes: true, to: "plain"))
    let report = try run(place, options(place, epochs: 2, permutes: true))
    #expect(report.blocks.count == 4)
    let (plain, trained) = try (
      place.perplexity("plain", of: text), place.perplexity("out", of: text)
    )
    #expect(trained < plain, "\(plain) → \(trained)")
  }

  @Test(arguments: [PruningMethod.magnitude, .sparseGPT, .admm])
  func everyMethodCanBeFollowedByTraining(method: PruningMethod) throws {
    let place = try TrainingPlace(prunes: false)
    let report = try run(place, options(place, method, epochs: 2, permutes: method == .admm))
    #expect(report.layers.count == 14)
    #expect(report.blocks.count == 2)
    #expect(report.blocks.allSatisfy { $0.after <= $0.before })
    #expect(try place.checkpoint("out").check().passed)
  }

  @Test func whatIsNotPrunedIsNotTrained() throws {
    let place = try TrainingPlace(prunes: false)
    let report = try run(
      place,
      options(place, epochs: 2, permutes: false) {
        $0.selection = WeightSelection(skip: ["*.o_proj.*"])
        $0.keptDense = [Self.down]
      })
    let pruned = Set(report.layers.filter { !$0.isDense }.map(\.name))
    #expect(pruned.count == 11 && !pruned.contains(Self.down))
    let (before, after) = try (place.tensors("model"), place.tensors("out"))
    for (name, bytes) in before {
      #expect((after[name] == bytes) == !pruned.contains(name), "\(name)")
    }
    let check = try place.checkpoint("out").check()
    #expect(check.passed && check.count(.sparse) == 11)
  }

  /// A block in which nothing is pruned has nothing to train.
  @Test func blocksWithoutTargetsArePassed() throws {
    let place = try TrainingPlace(prunes: false)
    let report = try run(
      place,
      options(place, epochs: 2, permutes: true) {
        $0.selection = WeightSelection(only: ["*.layers.1.*"])
      })
    #expect(report.blocks.map(\.block) == [1])
    #expect(try place.checkpoint("out").check().passed)
  }

  @Test func theBytesDoNotDependOnThreadsOrMemory() throws {
    let place = try TrainingPlace(prunes: false)
    for threads in [1, 3] {
      try run(
        place, options(place, epochs: 1, permutes: true, to: "out\(threads)"), threads: threads)
    }
    let error = #expect(throws: MemoryBudgetError.self) {
      try run(place, options(place, epochs: 1, permutes: true, to: "small") { $0.memory = 1 })
    }
    guard case .tooSmall(1, let least, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try run(place, options(place, epochs: 1, permutes: true, to: "small") { $0.memory = least })
    for name in ["out3", "small"] { #expect(try place.bytes(name) == place.bytes("out1")) }
  }

  /// Residual streams in scratch files are those in memory.
  @Test func whereTheActivationsWaitChangesNothing() throws {
    let place = try TrainingPlace(prunes: false)
    let model = try LanguageModel(place.checkpoint("model"))
    func trained(_ spill: ActivationSpill) throws -> [String: [UInt8]] {
      var memory = MemoryChoices()
      memory.spill = spill
      let names = try place.checkpoint("model").blockLinears()
      let path = place.folder["out"]
      let compute = Compute(threads: 2)
      var tensors: [String: [UInt8]] = [:]
      _ = try BlockwisePruning(
        model: model,
        recipe: StageRecipe(
          pruner: PruningMethod.wanda.pruner(effort: .fast), quantization: nil, permutes: true,
          smoothing: nil),
        targets: Set(names.map { ExactString($0) }),
        reconstruction: {
          try BlockReconstruction(
            ReconstructionOptions(epochs: 1, learningRate: 2e-3), teacher: model,
            on: place.windows, beside: spill.hidden ? path : nil, compute: compute)
        },
        compute: compute, memory: memory, outputPath: path
      ).reports(on: place.windows) { tensors[$0] = $1.bytes.array }
      return tensors
    }
    let inMemory = try trained(ActivationSpill())
    #expect(inMemory.count >= 14)
    #expect(try trained(ActivationSpill(pending: true)) == inMemory)
    #expect(try trained(ActivationSpill(hidden: true, pending: true)) == inMemory)
  }

  @Test(arguments: [false, true]) func aRunThatIsCutAnywhereEndsWithTheSameBytes(
    permutes: Bool
  ) throws {
    let place = try TrainingPlace(prunes: false)
    func run(_ output: String, threads: Int = 2, progress: ProgressHandler = { _ in }) throws
      -> PruneReport
    {
      try self.run(
        place, options(place, epochs: 2, permutes: permutes, to: output) { $0.resumes = true },
        threads: threads, progress: progress)
    }
    let whole = try run("whole")
    for step in [
      "block 1 of 2, train", "block 2 of 2, qkv", "block 2 of 2, train", "copy the rest",
    ] {
      var (isCut, reports) = (false, 0)
      do {
        _ = try run("cut") {
          guard $0.step == step else { return }
          reports += 1
          if reports == 2 || step == "copy the rest" {
            isCut = true
            throw Cut()
          }
        }
      } catch { #expect(error is Cut || (error as? UnfinishedRun)?.error is Cut, "\(error)") }
      #expect(isCut, "\(step)")
      let report = try run("cut", threads: 1)
      #expect(try place.bytes("cut") == place.bytes("whole"), "\(step)")
      #expect(report.blocks == whole.blocks)
      try FileManager.default.removeItem(atPath: place.folder["cut"])
    }
  }

  @Test func otherTrainingIsNotGoneOnWith() throws {
    let place = try TrainingPlace(prunes: false)
    #expect(throws: UnfinishedRun.self) {
      try run(place, options(place, epochs: 1, permutes: false)) {
        if $0.step.hasPrefix("block 2") { throw Cut() }
      }
    }
    for epochs in [2, nil] {
      let error = #expect(throws: JournalError.self) {
        try run(place, options(place, epochs: epochs, permutes: false) { $0.resumes = true })
      }
      guard case .differs(_, "--reconstruct", _, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  /// Solved anew against the dense original, and then trained towards it.
  @Test func aRefitCanBeTrained() throws {
    let place = try TrainingPlace()
    let report = try PruneRun(
      place.sparse,
      options(place, epochs: 2, permutes: false) {
        $0.dense = place.dense
        $0.method = .admm
      }
    ).run()
    #expect(report.blocks.count == 2)
    #expect(report.blocks.allSatisfy { $0.after <= $0.before })
    let (before, after) = try (place.checkpoint("sparse"), place.checkpoint("out"))
    #expect(try after.check().count(.sparse) == 14)
    for name in try #require(try before.promisedWeights()) {
      let (old, new) = try (Matrix(before.matrix(name)), Matrix(after.matrix(name)))
      #expect(zip(old.values, new.values).allSatisfy { $0 != 0 || $1 == 0 }, "\(name)")
    }
    #expect(
      try FinetuneBlocksTests.distance(after, from: place.checkpoint("model"), on: place.windows)
        < FinetuneBlocksTests.distance(before, from: place.checkpoint("model"), on: place.windows))
  }

  @Test func weightsThatBecomeInt8AreNotTrained() throws {
    let place = try TrainingPlace(prunes: false)
    let error = #expect(throws: TrainingError.self) {
      try run(
        place,
        options(place, epochs: 1, permutes: false) { $0.quantization = QuantizationOptions() })
    }
    #expect(error == .reconstructsInt8)
    #expect(!FileSystem.isTaken(place.folder["out"]))
  }
}

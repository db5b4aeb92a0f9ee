import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// One command from dense to trained 2:4.
@Suite struct TrainedPruningTests {
  /// The failure that a test brings about.
  private struct Cut: Error {}

  private let place: TrainingPlace

  init() throws { place = try TrainingPlace(prunes: false) }

  private func options(_ method: PruningMethod, to output: String) -> PruneOptions {
    PruneOptions(
      method: method,
      calibration: CalibrationOptions(source: .tokens(path: place.folder["text.safetensors"])),
      output: place.folder[output])
  }

  private func pruning(
    _ method: PruningMethod = .magnitude, to output: String = "out",
    _ edit: (inout PruneOptions, inout FinetuneOptions) -> Void = { _, _ in }
  ) throws -> TrainedPruning {
    var options = options(method, to: output)
    var training = place.options()
    edit(&options, &training)
    return try TrainedPruning(place.dense, options, training)
  }

  @Test(arguments: [TrainingObjective.distill, .crossEntropy])
  func itIsPruningAndThenTraining(_ objective: TrainingObjective) throws {
    let report = try pruning { $1 = place.options(objective) }.run()
    try place.place.prune(.magnitude, to: "sparse")
    let alone = try place.run(place.options(objective, to: "alone"))
    #expect(try place.tensors("out") == place.tensors("alone"))
    #expect(report.training?.log == alone.log)
    let page = report.page(.init(command: ["sparsify"], model: "model", kernels: "scalar"))
    #expect(page.text.contains("Loss along the training"))
    #expect(report.output == place.folder["out"])
    #expect(report.layers.count == report.layers.count(where: { $0.sparsity >= 0.5 }))
    #expect(try place.checkpoint("out").check().passed)
    #expect(!FileSystem.isTaken(place.folder["out.steps.partial"]))
  }

  @Test func trainedWeightsAreRoundedOnTheirMasks() throws {
    let trained = try pruning(to: "trained")
    _ = try trained.run()
    let report = try pruning { options, _ in options.quantization = QuantizationOptions() }.run()
    let (int8, float) = (try place.checkpoint("out"), try place.checkpoint("trained"))
    #expect(try int8.check().passed)
    #expect(try int8.manifest()?.training?.objective == "distill")
    #expect(report.sizes != nil)
    for layer in report.layers {
      let (rounded, weight) = (
        try Matrix(int8.weight(layer.name)), try Matrix(float.weight(layer.name))
      )
      #expect(try Mask24(nonZerosOf: weight).violations(in: rounded) == 0)
      // What is reported is what was written: rounding makes more zeros, and scales.
      let zeros = rounded.values.count { $0 == 0 }
      #expect(layer.sparsity == Double(zeros) / Double(rounded.values.count))
      let scales = Matrix(try int8.matrix(layer.name + "_scale")).values
      #expect(
        layer.scaleRange.map { [$0.lowerBound, $0.upperBound] } == [scales.min(), scales.max()])
      // No rounding moves a weight by more than the step of its row, but for what makes up for the others.
      let change = rounded.minus(weight).sumOfSquares() / weight.sumOfSquares()
      #expect(change > 0 && change < 1e-3, "\(layer.name): \(change)")
    }
  }

  @Test func trainedBlocksAreRoundedOnTheirMasks() throws {
    var blocks = options(.wanda, to: "blocks")
    blocks.reconstruction = ReconstructionOptions(epochs: 1)
    let trained = try TrainedPruning(place.dense, blocks, nil).run()
    #expect(trained.output == place.folder["blocks"])
    var rounding = options(.admm, to: "alone")
    (rounding.dense, rounding.quantization) = (place.folder["blocks"], QuantizationOptions())
    _ = try PruneRun(place.folder["blocks"], rounding).run()
    (blocks.output, blocks.quantization) = (place.folder["out"], QuantizationOptions())
    let report = try TrainedPruning(place.dense, blocks, nil).run()
    #expect(try place.tensors("out") == place.tensors("alone"))
    #expect(report.blocks == trained.blocks)
    #expect(report.training == nil && report.sizes != nil)
    #expect(try place.checkpoint("out").check().passed)
    #expect(!FileSystem.isTaken(place.folder["out.steps.partial"]))
  }

  @Test func aRunThatIsCutGoesOnToTheSameBytes() throws {
    func whole(_ options: inout PruneOptions, _: inout FinetuneOptions) {
      options.quantization = QuantizationOptions()
      options.reconstruction = ReconstructionOptions(epochs: 1)
    }
    var reports = 0
    let report = try pruning(.wanda, to: "whole", whole).run { _ in reports += 1 }
    let wanted = try place.tensors("whole")
    for cut in stride(from: 1, to: reports, by: max(1, reports / 12)) {
      var left = cut
      #expect(throws: (any Error).self) {
        _ = try pruning(.wanda, to: "cut") {
          whole(&$0, &$1)
          $0.force = true
        }.run { _ in
          left -= 1
          if left == 0 { throw Cut() }
        }
      }
      let resumed = try pruning(.wanda, to: "cut") {
        whole(&$0, &$1)
        ($0.resumes, $0.force) = (true, true)
      }.run()
      #expect(try place.tensors("cut") == wanted, "cut at report \(cut) of \(reports)")
      #expect(resumed.layers.map(\.error) == report.layers.map(\.error))
      #expect(resumed.blocks == report.blocks && !report.blocks.isEmpty)
      #expect(resumed.training?.log == report.training?.log && report.training != nil)
      #expect(resumed.training?.best == report.training?.best)
      #expect(!FileSystem.isTaken(place.folder["cut.steps.partial"]))
    }
  }

  /// A step that is cut has its own journal, and is gone on with like any run.
  @Test(arguments: [("block 2 of 2", "1 block"), ("step 3 of 6", "2 steps")])
  func whatAStepHasFinishedIsNotDoneAgain(cut: String, done: String) throws {
    let partial = place.folder["out.steps.partial"]
    var (seen, again): ([String], [String]) = ([], [])
    do {
      _ = try pruning(.wanda).run {
        seen.append($0.step)
        if $0.step.contains(cut) { throw Cut() }
      }
      Issue.record("nothing was cut at '\(cut)'")
    } catch let error as UnfinishedRun {
      #expect(error.done == done && error.error is Cut)
      #expect(error.folder.hasPrefix(partial + "/"))
      #expect(!"\(error.error)".contains("--resume"))
    }
    #expect(throws: JournalError.unfinished(folder: partial, done: done)) {
      _ = try pruning(.wanda).run()
    }
    // As a kill leaves it between the making of a file and the loss of its name.
    try place.folder.write("", to: "out.steps.partial/trained.scratch.tmp-77")
    _ = try pruning(.wanda) { options, _ in options.resumes = true }.run { again.append($0.step) }
    #expect(again.contains { $0.contains(cut) })
    let first = try #require(seen.first { $0.contains(cut.first == "b" ? "block 1" : "step 1") })
    #expect(!again.contains(first), "\(first) was done twice")
    _ = try pruning(.wanda, to: "whole").run()
    #expect(try place.bytes("out") == place.bytes("whole"))
    #expect(!FileSystem.isTaken(partial))
  }

  @Test(arguments: [false, true]) func aRunThatOnlyLacksItsEndIsEnded(isRounded: Bool) throws {
    func edit(_ options: inout PruneOptions, _: inout FinetuneOptions) {
      if isRounded { options.quantization = QuantizationOptions() }
    }
    let journal = KeptJournal(of: place.folder["out.steps"])
    let whole = try pruning(.wanda, edit).run { _ in try journal.keep() }
    let bytes = try place.bytes("out")
    try journal.restore()
    #expect(throws: CheckpointOutputError.exists(path: place.folder["out"])) {
      _ = try pruning(.wanda, edit)
    }
    let report = try pruning(.wanda) {
      edit(&$0, &$1)
      $0.resumes = true
    }.run()
    #expect(try place.bytes("out") == bytes)
    #expect(report.output == whole.output && report.training?.json == whole.training?.json)
    #expect(report.training?.output == place.folder["out"])
    #expect(report.layers.map(\.error) == whole.layers.map(\.error))
    #expect(report.sizes == whole.sizes && report.sizes != nil)
    #expect(report.calibration?.0 == whole.calibration?.0 && report.calibration != nil)
    #expect(report.inputFingerprint == whole.inputFingerprint)
    #expect(!FileSystem.isTaken(place.folder["out.steps.partial"]))
  }

  /// A journal alone is no model: what it calls done is made again where it is gone.
  @Test func whatIsGoneIsMadeAgain() throws {
    let journal = KeptJournal(of: place.folder["out.steps"])
    _ = try pruning(.wanda).run { _ in try journal.keep() }
    let bytes = try place.bytes("out")
    try journal.restore()
    try FileSystem.removeTree(place.folder["out"])
    _ = try pruning(.wanda) { options, _ in options.resumes = true }.run()
    #expect(try place.bytes("out") == bytes)
    #expect(!FileSystem.isTaken(place.folder["out.steps.partial"]))
  }

  @Test func whatCannotBeDoneIsRefusedBeforeTheWork() throws {
    #expect(throws: TrainingError.needsFolder(path: place.dense + "/model.safetensors")) {
      _ = try TrainedPruning(
        place.dense + "/model.safetensors", PruneOptions(output: place.folder["out.safetensors"]),
        place.options())
    }
    #expect(throws: TrainingError.keepsDenseInt8) {
      _ = try pruning { options, _ in
        options.quantization = QuantizationOptions()
        options.keptDense = ["model.layers.0.mlp.up_proj.weight"]
      }
    }
    #expect(throws: CalibrationError.self) {
      _ = try pruning { $1.data.samples = 1000 }
    }
    let text = place.folder["text.safetensors"]
    #expect(throws: TrainingError.tooFewWindows(source: text, found: 3, step: 4, heldOut: 1)) {
      _ = try pruning { $1.data.samples = 3 }
    }
    #expect(throws: SelectionError.self) { _ = try pruning { $1.frozen = ["nothing.*"] } }
    let broken = try TrainingPlace(prunes: false) {
      $0.setBFloat16("model.norm.weight", at: 0, to: .nan)
    }
    let error = #expect(throws: LayerError.self) {
      _ = try TrainedPruning(
        broken.dense, PruneOptions(method: .magnitude, output: broken.folder["out"]),
        broken.options())
    }
    #expect(error?.layer == "model.norm.weight" && error?.model == broken.dense)
    #expect(throws: TrainingError.windowTooShort(length: 1)) {
      _ = try pruning { $1.data.length = 1 }
    }
    let context = try ModelConfiguration(place.checkpoint("model")).contextLength
    #expect(throws: ModelError.contextTooLong(asked: context + 1, context: context)) {
      _ = try pruning { $1.data.length = context + 1 }
    }
    #expect(throws: MemoryError.self) {
      _ = try pruning { $1.data = CalibrationOptions(samples: 1 << 40, length: 12) }
    }
    try place.place.prune(.magnitude, to: "out")
    try FileSystem.makeFolder(place.folder["out/more"], finalPath: place.folder["out/more"])
    try place.write(place.windows, to: "out/more/tokens.safetensors")
    #expect(throws: CheckpointOutputError.self) {
      _ = try pruning { options, _ in
        options.force = true
        options.calibration?.source = .tokens(path: place.folder["out/more/tokens.safetensors"])
      }
    }
    #expect(!FileSystem.isTaken(place.folder["out.steps.partial"]))
  }

  /// What a training fails of is no reason to prune again.
  @Test func anotherTrainingCanFollowThePruning() throws {
    let partial = place.folder["out.steps.partial"]
    let error = #expect(throws: UnfinishedRun.self) {
      _ = try pruning(.wanda) { $1.training.learningRate = 1e6 }.run()
    }
    #expect(error?.error is TrainingError && error?.folder == partial)
    #expect(error?.done == "the step 'pruned'")
    var steps: Set<String> = []
    _ = try pruning(.wanda) { options, _ in options.resumes = true }.run {
      steps.insert($0.step)
    }
    #expect(!steps.contains { $0.hasPrefix("block ") }, "it is not pruned again")
    let bytes = try place.bytes("out")
    _ = try pruning(.wanda) { options, _ in options.force = true }.run()
    #expect(try place.bytes("out") == bytes)
    #expect(!FileSystem.isTaken(partial))
  }

  @Test func aFinishedTrainingIsNotTakenForAnother() throws {
    let rounded = { (options: inout PruneOptions, _: inout FinetuneOptions) in
      options.quantization = QuantizationOptions()
    }
    // Cut in the rounding, when the training is done.
    #expect(throws: UnfinishedRun.self) {
      var isTrained = false
      _ = try pruning(.wanda, rounded).run {
        if $0.step.hasPrefix("step") { isTrained = true }
        if isTrained && $0.step.hasPrefix("block 2") { throw Cut() }
      }
    }
    let error = #expect(throws: JournalError.self) {
      _ = try pruning(.wanda) {
        rounded(&$0, &$1)
        $0.resumes = true
        $1.training.learningRate = 1e-3
      }.run()
    }
    #expect(
      error
        == .differs(
          folder: place.folder["out.steps.partial"], part: "--learning-rate", then: "0.005",
          now: "0.001"))
    try place.write(TrainingPlace.text(9, first: 1), to: "other.safetensors")
    let text = #expect(throws: JournalError.self) {
      _ = try pruning(.wanda) {
        rounded(&$0, &$1)
        $0.resumes = true
        $1.data.source = .tokens(path: place.folder["other.safetensors"])
      }.run()
    }
    #expect("\(text.map { "\($0)" } ?? "")".contains("--data was "))
    _ = try pruning(.wanda) {
      rounded(&$0, &$1)
      $0.resumes = true
    }.run()
    #expect(try place.checkpoint("out").check().passed)
  }

  /// Whatever was made on the way, the output tells of the model that went in and of how it was pruned.
  @Test(arguments: [nil, QuantizationOptions()])
  func theManifestTellsOfTheWholeRun(quantization: QuantizationOptions?) throws {
    let report = try pruning(.wanda) { options, _ in options.quantization = quantization }.run()
    try place.place.prune(.wanda, options(.wanda, to: "").calibration, to: "pruned")
    let pruned = try place.checkpoint("pruned").manifest()
    let manifest = try #require(try place.checkpoint("out").manifest())
    #expect(manifest.method == "wanda" && manifest.inputFingerprint == pruned?.inputFingerprint)
    #expect(manifest.inputFingerprint == report.inputFingerprint)
    #expect(manifest.training == Manifest.Training(objective: "distill", steps: 6))
    #expect((manifest.quantization != nil) == (quantization != nil))
  }

  /// What a step has made is looked at before the next one begins with it.
  @Test(arguments: ["a bit", "nothing left"]) func aDamagedStepIsMadeAgain(damage: String) throws {
    _ = try pruning(.wanda, to: "whole").run()
    #expect(throws: UnfinishedRun.self) {
      _ = try pruning(.wanda).run { if $0.step.hasPrefix("measure") { throw Cut() } }
    }
    let name = "out.steps.partial/pruned/model.safetensors"
    var bytes = try place.folder.read(name)
    if damage == "a bit" { bytes[bytes.count - 2] ^= 1 } else { bytes = [] }
    try place.folder.write(bytes, to: name)
    var steps: Set<String> = []
    _ = try pruning(.wanda) { options, _ in options.resumes = true }.run {
      steps.insert($0.step)
    }
    #expect(steps.contains { $0.hasPrefix("block ") }, "it is pruned again")
    #expect(try place.tensors("out") == place.tensors("whole"))
  }

  /// Where weights are chosen by magnitude, the rounding alone reads the calibration.
  @Test func anotherCalibrationIsAnotherRounding() throws {
    func rounded(_ samples: Int) -> (inout PruneOptions, inout FinetuneOptions) -> Void {
      { options, _ in
        options.quantization = QuantizationOptions()
        options.calibration?.samples = samples
        options.resumes = true
      }
    }
    #expect(throws: UnfinishedRun.self) {
      _ = try pruning(.magnitude, rounded(8)).run { if $0.step.hasPrefix("block") { throw Cut() } }
    }
    let error = #expect(throws: JournalError.self) {
      _ = try pruning(.magnitude, rounded(7)).run()
    }
    guard case .differs(_, "what is read for the rounding", _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    _ = try pruning(.magnitude, rounded(8)).run()
    #expect(try place.checkpoint("out").check().passed)
  }
}

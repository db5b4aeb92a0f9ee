internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What training through the whole model writes and reports.
@Suite struct FinetuneRunTests {
  @Test(arguments: TrainingObjective.allCases)
  func theHeldOutLossComesDown(objective: TrainingObjective) throws {
    let place = try TrainingPlace(as: .float32)
    let report = try place.run(place.options(objective))
    let losses = report.log.evaluations.map { $0.loss.value(objective) }
    #expect(report.log.evaluations.map(\.step) == [0, 2, 4, 6])
    #expect(losses[3] < 0.9 * losses[0], "\(losses)")
    #expect(
      report.best
        == report.log.evaluations.min { $0.loss.value(objective) < $1.loss.value(objective) })
    // What was measured is what others measure.
    let heldOut = place.windows[windows: [8]]
    let (before, after) = try (
      place.perplexity("sparse", of: heldOut), place.perplexity("out", of: heldOut)
    )
    let best = try #require(report.best)
    #expect(abs(before / report.log.evaluations[0].loss.perplexity - 1) < 1e-5)
    #expect(abs(after / best.loss.perplexity - 1) < 1e-5)
  }

  @Test func theDivergenceIsThatFromTheDenseModel() throws {
    let place = try TrainingPlace()
    // It learns from a copy of itself: nothing is to be learnt.
    try FileManager.default.copyItem(atPath: place.sparse, toPath: place.folder["copy"])
    let itself = try place.run(place.options { $0.dense = place.folder["copy"] })
    #expect(itself.log.evaluations[0].loss.divergence.map { abs($0) < 1e-6 } == true)
    #expect(itself.best?.step == 0)
    #expect(try place.tensors("out") == place.tensors("sparse"))
  }

  @Test(
    arguments: ModelFixture.architectures.map { ($0, ScalarType.bfloat16) } + [
      (TrainingPlace.qwen2, .float32), (TrainingPlace.qwen2, .float16),
    ])
  func masksHoldAndTypesStay(fixture: ModelFixture, type: ScalarType) throws {
    let place = try TrainingPlace(fixture, as: type)
    let report = try place.run(place.options(.both))
    let (before, after) = try (place.checkpoint("sparse"), place.checkpoint("out"))
    #expect(after.tensors.map(\.info.spec) == before.tensors.map(\.info.spec))
    let check = try after.check()
    #expect(check.passed)
    #expect(check.count(.sparse) == 14)
    let sparse = Set(try #require(try before.promisedWeights()))
    #expect(sparse.count == 14)
    var (all, zeros) = (0, 0)
    for tensor in before.tensors {
      let (old, new) = try (
        before.bytes(of: tensor.name).array, after.bytes(of: tensor.name).array
      )
      #expect(old != new, "\(tensor.name)")
      all += tensor.shape.reduce(1, *)
      guard sparse.contains(tensor.name) else { continue }
      zeros += tensor.shape.reduce(1, *) / 2
      let size = type.byteCount
      for start in stride(from: 0, to: old.count, by: size)
      where old[start..<start + size].allSatisfy({ $0 == 0 }) {
        // Not even −0.
        #expect(new[start..<start + size].allSatisfy { $0 == 0 }, "\(tensor.name)")
      }
    }
    #expect(report.prunedWeights == zeros)
    #expect(report.trainedWeights == all - zeros)
    #expect(report.output == place.folder["out"])
  }

  @Test func otherFilesAreCopiedAndNothingElseIsLeft() throws {
    let place = try TrainingPlace()
    try place.run(place.options())
    #expect(
      try place.folder.contents().filter { $0.hasPrefix("out") } == [
        "out", "out/config.json", "out/generation_config.json", "out/model.safetensors",
      ])
    for name in ["config.json", "generation_config.json"] {
      #expect(try place.place.bytes("out", name) == place.place.bytes("sparse", name))
    }
    #expect(
      try FileSystem.names(in: place.folder.path).sorted()
        == ["model", "out", "sparse", "text.safetensors"])
  }

  @Test func theManifestTellsOfTheTrainingAndKeepsItsPromises() throws {
    let place = try TrainingPlace()
    try place.run(place.options(.both))
    let (before, after) = try (
      place.place.manifest("sparse/model.safetensors"),
      place.place.manifest("out/model.safetensors")
    )
    #expect(after["training"] == ["objective": "both", "steps": 6])
    #expect(after["method"] == "magnitude")
    func names(_ json: JSON) -> Set<String> {
      Set(json["pruned"]?.array?.compactMap(\.string) ?? [])
    }
    #expect(names(after) == names(before) && names(after).count == 14)
    let input = CheckpointFingerprint(of: try place.checkpoint("sparse"))
    #expect(after["input"]?.string == (try input.text(on: .automatic)))
    #expect(after["calibration"]?["samples"] == 9)
    #expect(after["calibration"]?["length"] == 12)
    #expect(
      after["calibration"]?["fingerprint"]?.string == Fingerprint.text(of: place.windows.ids))
  }

  @Test func theMemoryItTakesIsKnownBefore() throws {
    let place = try TrainingPlace()
    func bytes(_ edit: (inout FinetuneOptions) -> Void = { _ in }) throws -> Int {
      try FinetuneRun(place.folder["sparse"], place.options(.distill, edit)).wholeTrainingBytes
    }
    #expect(try bytes { $0.training.batch *= 2 } > bytes())
    #expect(try bytes { $0.training.objective = .crossEntropy } < bytes())
    #expect(try bytes { $0.frozen = ["*embed*"] } < bytes())
    let least = try bytes()
    let report = try place.run(place.options())
    let (kept, all) = (report.trainedWeights, report.trainedWeights + report.prunedWeights)
    #expect(least > 4 * (2 * all + 2 * kept))
  }

  @Test func frozenTensorsStayAsTheyAre() throws {
    let place = try TrainingPlace()
    let frozen = ["*embed*", "*.mlp.*", "*norm*"]
    let report = try place.run(place.options { $0.frozen = frozen })
    let (before, after) = try (place.tensors("sparse"), place.tensors("out"))
    for (name, bytes) in before {
      let isFrozen = !name.contains("self_attn")
      #expect((after[name] == bytes) == isFrozen, "\(name)")
    }
    let checkpoint = try place.checkpoint("sparse")
    let attention = checkpoint.tensors.filter { $0.name.contains("self_attn") }
    let (all, matrices) = (
      attention.reduce(0) { $0 + $1.shape.reduce(1, *) },
      attention.filter { $0.shape.count == 2 }.reduce(0) { $0 + $1.shape.reduce(1, *) }
    )
    #expect(report.prunedWeights == matrices / 2)
    #expect(report.trainedWeights == all - matrices / 2)
    #expect(report.best?.step ?? 0 > 0)
  }

  /// Without a manifest the weights that are 2:4 are found, and those alone are held.
  @Test func aModelWithoutManifestKeepsWhatIsSparse() throws {
    let place = try TrainingPlace()
    try place.place.prune(
      .magnitude, selection: WeightSelection(only: ["*mlp*"]), to: "half")
    var model = try EditedModel(TrainingPlace.qwen2)
    let half = try place.checkpoint("half")
    for tensor in half.tensors {
      model.put(
        tensor.name, tensor.dtype, tensor.shape, try half.bytes(of: tensor.name).array)
    }
    try model.write(to: place.folder, "plain")
    let run = try FinetuneRun(place.folder["plain"], place.options())
    #expect(run.sparse.count == 6 && run.sparse.allSatisfy { $0.contains("mlp") })
    _ = try run.run()
    #expect(try place.place.manifest("out/model.safetensors")["pruned"]?.array?.count == 6)
    #expect(try place.checkpoint("out").check().passed)
  }

  @Test func shardsAreWrittenWhereTheyAreAskedFor() throws {
    let place = try TrainingPlace()
    try place.run(place.options(to: "whole"))
    try place.run(place.options { $0.shardSize = 20_000 })
    #expect(try place.checkpoint("out").files.count > 1)
    #expect(try place.tensors("out") == place.tensors("whole"))
    #expect(try place.checkpoint("out").check().passed)
  }

  @Test func theDenseModelWritesTheTextWhereNoneIsGiven() throws {
    let place = try TrainingPlace()
    var steps: Set<String> = []
    let report = try place.run(
      place.options {
        $0.data = CalibrationOptions(samples: 5, length: 10, seed: 4)
      }
    ) { steps.insert($0.step) }
    #expect(report.windows == (4, 10))
    let written = try LanguageModel(place.checkpoint("model")).writeText(
      samples: 5, length: 10, seed: 4, on: .automatic, progress: { _ in })
    let calibration = try place.place.manifest("out/model.safetensors")["calibration"]
    #expect(calibration?["source"] == "self")
    #expect(calibration?["fingerprint"]?.string == Fingerprint.text(of: written.ids))
    #expect(steps.contains { $0.hasPrefix("step 6 of 6, loss ") && $0.hasSuffix(" tokens/s") })
  }

  @Test func theReportHasTheContractsFields() throws {
    let place = try TrainingPlace()
    let report = try place.run(place.options(.both))
    #expect(report.objective == "both")
    #expect(report.windows == (8, 12))
    #expect(report.blocks.isEmpty)
    #expect(report.log.steps.map(\.step) == [1, 2, 3, 4, 5, 6])
    let rates = report.log.steps.map(\.learningRate)
    #expect(rates.first == 5e-3 && zip(rates, rates.dropFirst()).allSatisfy { $0 > $1 })
    #expect(report.log.steps.allSatisfy { $0.gradientNorm > 0 && $0.loss.divergence != nil })
    let json = try JSON(parsing: report.json.text())
    #expect(
      json.object?.map(\.key) == [
        "schema", "objective", "output", "seconds", "peakResidentBytes", "trainedWeights",
        "prunedWeights", "sparseLayers", "denseLayers", "windows", "length", "best", "training",
        "blocks",
      ])
    #expect(json["training"]?["steps"]?.array?.count == 6)
    #expect(json["training"]?["earlyStop"] == .null)
    #expect(json["best"]?["step"]?.int == report.best?.step)
  }
}

internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a run of pruning writes, on random models of every kind and type.
@Suite struct PruneRunTests {
  static let methods: [PruningMethod] = [.magnitude, .wanda]

  @Test(arguments: ModelFixture.architectures, methods)
  func onlyTheWeightsOfTheBlocksChangeAndTheseOnlyByZeros(
    fixture: ModelFixture, method: PruningMethod
  ) throws {
    let place = try PrunedFolder(EditedModel(fixture))
    let tokens = try place.tokens(samples: 3, length: 20, vocabulary: 64)
    let report = try place.prune(method, method == .wanda ? tokens : nil, to: "pruned")
    let (before, after) = try (
      fixture.checkpoint(), Checkpoint(path: place.folder["pruned"])
    )
    #expect(after.tensors.map(\.info.spec) == before.tensors.map(\.info.spec))
    let pruned = Set(report.layers.map(\.name))
    #expect(pruned.count == 14)
    for tensor in before.tensors {
      let (old, new) = try (
        before.bytes(of: tensor.name).array, after.bytes(of: tensor.name).array
      )
      guard pruned.contains(tensor.name) else {
        #expect(old == new, "\(tensor.name)")
        continue
      }
      let size = tensor.dtype.bits / 8
      let kept = (0..<old.count / size).map { index in
        let value = new[index * size..<(index + 1) * size]
        if value.allSatisfy({ $0 == 0 }) { return false }
        #expect(value == old[index * size..<(index + 1) * size], "\(tensor.name)")
        return true
      }
      let weight = try Matrix(before.matrix(tensor.name))
      if method == .magnitude {
        let scores = Matrix(
          rows: weight.rows, columns: weight.columns, weight.values.map { abs($0) })
        #expect(kept == Reference.keptByScore(scores), "\(tensor.name)")
      } else {
        let groups = stride(from: 0, to: kept.count, by: 4)
        #expect(groups.allSatisfy { kept[$0..<$0 + 4].count { $0 } == 2 }, "\(tensor.name)")
      }
    }
    let check = try after.check()
    #expect(check.passed)
    #expect(check.count(.sparse) == 14)
    #expect(check.count(.violating) == 0)
    #expect(
      try place.bytes("pruned", "config.json") == place.folder.read("model/config.json"))
  }

  @Test(arguments: methods)
  func theManifestNamesTheWeightsAndWhereTheyCameFrom(method: PruningMethod) throws {
    let place = try PrunedFolder(EditedModel(ModelFixture(name: "architectures/qwen2")))
    let tokens = try place.tokens(samples: 3, length: 20, vocabulary: 64)
    let report = try place.prune(method, method == .wanda ? tokens : nil, to: "pruned")
    let manifest = try place.manifest("pruned/model.safetensors")
    #expect(manifest["schema"] == 1)
    #expect(manifest["tool"] == "sparsify")
    #expect(manifest["pattern"] == "2:4")
    #expect(manifest["method"]?.string == method.rawValue)
    let names = manifest["pruned"]?.array?.compactMap(\.string) ?? []
    #expect(names.count == 14)
    #expect(Set(names) == Set(report.layers.map(\.name)))
    let input = CheckpointFingerprint(of: try Checkpoint(path: place.input))
    #expect(manifest["input"]?.string == (try input.text(on: .automatic)))
    let calibration = manifest["calibration"]
    if method == .wanda {
      #expect(calibration?["samples"] == 3)
      #expect(calibration?["length"] == 20)
      let ids = try TokenWindows(contentsOf: place.folder["tokens.safetensors"]).ids
      #expect(calibration?["fingerprint"]?.string == Fingerprint.text(of: ids))
    } else {
      #expect(calibration?.isNull == true)
    }
    let metadata = try SafetensorsFile(path: place.folder["pruned/model.safetensors"]).metadata
    #expect(metadata["format"] == "pt")
  }

  @Test func theReportHasEveryLayerInOrderAndTheContractsFields() throws {
    let place = try PrunedFolder(EditedModel(ModelFixture(name: "architectures/mistral")))
    let tokens = try place.tokens(samples: 3, length: 20, vocabulary: 64)
    let report = try place.prune(.wanda, tokens, to: "pruned")
    #expect(report.output == place.folder["pruned"])
    #expect(report.layers.map(\.block) == (0..<14).map { $0 / 7 })
    #expect(
      report.layers.prefix(7).map(\.stage)
        == ["qkv", "qkv", "qkv", "o", "gate-up", "gate-up", "down"])
    #expect(report.layers.allSatisfy { ($0.relativeError ?? 2) > 0 && ($0.relativeError ?? 2) < 1 })
    #expect(report.stages.count == 8)
    #expect(
      (report.meanSquaredRelativeError ?? 2) > 0 && (report.meanSquaredRelativeError ?? 2) < 1)
    let json = try JSON(parsing: report.json.text())
    #expect(json["schema"] == 1)
    #expect(json["method"] == "wanda")
    #expect(json["calibration"]?["errorTokens"] == 60)
    let layer = json["layers"]?.array?.first
    #expect(
      layer?.object?.map(\.key) == [
        "name", "shape", "seconds", "relativeError", "sparsity", "patterns", "dampening",
        "fallback", "sampleTokens", "permutationGain", "scales", "dense",
      ])
    #expect(layer?["shape"] == [64, 32])
  }

  /// The methods with the calibrations they can have, on the trained model.
  @Test(arguments: ["magnitude", "wanda", "wanda self", "magnitude tokens"])
  func theBytesDoNotDependOnTheThreads(kind: String) throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let method = PruningMethod(rawValue: String(kind.prefix { $0 != " " })) ?? .magnitude
    let tokens = try place.tokens(samples: 3, length: 16, vocabulary: 512)
    let calibration: CalibrationOptions? =
      switch kind {
      case "magnitude": nil
      case "wanda self": CalibrationOptions(samples: 5, length: 12, seed: 3)
      default: tokens
      }
    let threads = [1, 2, 3, 7]
    for threads in threads {
      try place.prune(
        method, calibration, to: "out\(threads)", on: Compute(threads: threads))
    }
    let first = try place.bytes("out1")
    for threads in threads { #expect(try place.bytes("out\(threads)") == first) }
    #expect(try Checkpoint(path: place.folder["out1"]).check().passed)
  }

  @Test(arguments: [1, 20, 45, 1000])
  func theBytesDoNotDependOnHowTheTokensAreSplit(chunkTokens: Int) throws {
    let fixture = ModelFixture(name: "architectures/llama-biases")
    let model = try fixture.decoder()
    let place = try PrunedFolder(EditedModel(fixture))
    let tokens = try place.tokens(samples: 5, length: 20, vocabulary: 64)
    let windows = try #require(try tokens.readTokens(for: model))
    func run(_ memory: MemoryChoices) throws -> (bytes: [String: [UInt8]], errors: [Double?]) {
      var bytes: [String: [UInt8]] = [:]
      let reports = try BlockwisePruning(
        model: model, recipe: StageRecipe(pruner: Wanda()),
        targets: Set(model.checkpoint.blockLinears().map { ExactString($0) }), compute: .automatic,
        memory: memory
      ).reports(on: windows) { bytes[$0] = $1.bytes.array }
      return (bytes, reports.map(\.relativeError))
    }
    let (whole, split) = try (run(MemoryChoices()), run(MemoryChoices(chunkTokens: chunkTokens)))
    #expect(whole.bytes.count == 14)
    #expect(split.bytes == whole.bytes)
    #expect(split.errors == whole.errors)
  }

  @Test func theSeedOfSelfCalibrationDecidesTheBytes() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] as [(String, UInt64)] {
      try place.prune(.wanda, CalibrationOptions(samples: 3, length: 12, seed: seed), to: name)
    }
    #expect(try place.bytes("a") == place.bytes("b"))
    let (a, c) = try (
      Checkpoint(path: place.folder["a"]), Checkpoint(path: place.folder["c"])
    )
    let name = "model.layers.3.mlp.down_proj.weight"
    #expect(try a.bytes(of: name).array != c.bytes(of: name).array)
    #expect(try place.manifest("a/model.safetensors")["calibration"]?["source"] == "self")
    #expect(try place.manifest("c/model.safetensors")["calibration"]?["seed"] == 2)
  }

  @Test func pruningInPartsAddsUpInTheManifest() throws {
    let place = try PrunedFolder(EditedModel(ModelFixture(name: "architectures/mistral")))
    try place.prune(
      .magnitude, selection: WeightSelection(only: ["*self_attn*"]), to: "half")
    #expect(try place.manifest("half/model.safetensors")["pruned"]?.array?.count == 8)
    let half = try Checkpoint(path: place.folder["half"])
    #expect(try half.check().count(.dense) == 8, "six of the MLPs, embedding and lm_head")
    try place.prune(
      .magnitude, selection: WeightSelection(only: ["*mlp*", "*q_proj*"]),
      from: place.folder["half"], to: "whole")
    let names = try place.manifest("whole/model.safetensors")["pruned"]?.array ?? []
    #expect(names.count == 14)
    #expect(Set(names.compactMap(\.string)).count == 14)
    try place.prune(.magnitude, to: "once")
    let (whole, once) = try (
      Checkpoint(path: place.folder["whole"]), Checkpoint(path: place.folder["once"])
    )
    for tensor in once.tensors {
      #expect(try whole.bytes(of: tensor.name).array == once.bytes(of: tensor.name).array)
    }
    #expect(try whole.check().count(.sparse) == 14)
  }

  @Test func severalFilesStaySeveralAndEachPromisesItsOwn() throws {
    let folder = try TemporaryFolder()
    let model = try EditedModel(ModelFixture(name: "architectures/mistral"))
    _ = try model.writeShards(to: folder, count: 3)
    func prune(_ from: String, _ to: String, _ only: [String]) throws {
      let options = PruneOptions(
        method: .magnitude, selection: WeightSelection(only: only), output: folder[to])
      _ = try PruneRun(folder[from], options).run()
    }
    try prune("model", "first", ["*mlp*"])
    try prune("first", "second", ["*self_attn*"])
    try prune("second", "third", ["*q_proj*"])
    let third = try Checkpoint(path: folder["third"])
    #expect(third.files.count == 3)
    #expect(try third.check().count(.sparse) == 14)
    let promised = try third.promisedWeights() ?? []
    #expect(promised.count == 14)
    #expect(Set(promised).count == 14)
    // One of the files by itself promises its own weights.
    #expect(try Checkpoint(path: third.files[1].path).check().passed)
  }

  @Test func aSingleFileGivesASingleFile() throws {
    let place = try PrunedFolder(EditedModel(ModelFixture(name: "architectures/qwen2")))
    try FileManager.default.removeItem(atPath: place.folder["model/config.json"])
    let file = place.folder["model/model.safetensors"]
    let report = try PruneRun(file, PruneOptions(method: .magnitude)).run()
    #expect(report.output == place.folder["model/model-2of4.safetensors"])
    #expect(report.layers.count == 14)
    #expect(try Checkpoint(path: report.output).check().passed)
    #expect(
      try place.folder.contents() == [
        "model", "model/model-2of4.safetensors", "model/model.safetensors",
      ])
    // Wanda has to run the model, and says what it lacks.
    #expect(throws: ModelError.missingConfiguration(folder: place.folder["model"])) {
      try PruneRun(file, PruneOptions(method: .wanda, output: place.folder["w.safetensors"]))
    }
  }
}

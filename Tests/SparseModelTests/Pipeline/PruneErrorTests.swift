internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a run refuses, and that nothing is left of one that ends early.
@Suite struct PruneErrorTests {
  private static let qwen2 = ModelFixture(name: "architectures/qwen2")
  private static let down = "model.layers.1.mlp.down_proj.weight"

  private func model() throws -> EditedModel { try EditedModel(Self.qwen2) }

  /// Tries to prune and checks that the folder holds nothing new afterwards.
  private func expectNothingLeft<Failure: Error & Sendable>(
    _ error: Failure.Type, _ place: PrunedFolder, _ method: PruningMethod = .wanda,
    _ calibration: CalibrationOptions? = nil, selection: WeightSelection = WeightSelection(),
    progress: ProgressHandler = { _ in }
  ) throws -> Failure? {
    let before = try place.folder.contents()
    let thrown = #expect(throws: error) {
      try place.prune(method, calibration, selection: selection, to: "out", progress: progress)
    }
    #expect(try place.folder.contents() == before)
    return thrown
  }

  @Test(arguments: [PruningMethod.magnitude, .wanda], [Float.nan, .infinity, -.infinity])
  func aWeightThatIsNotFiniteIsNamed(method: PruningMethod, value: Float) throws {
    var model = try model()
    model.setBFloat16(Self.down, at: 77, to: value)
    let place = try PrunedFolder(model)
    let tokens = try place.tokens(samples: 2, length: 10, vocabulary: 64)
    let error = try expectNothingLeft(
      LayerError.self, place, method, method == .wanda ? tokens : nil)
    #expect(error?.layer == Self.down)
    #expect(error?.reason == .nonFiniteWeights(count: 1))
    #expect(
      error?.description
        == "\(place.input): tensor '\(Self.down)': the weight holds 1 NaN or infinite values")
    // Left out, it does not matter to magnitude, which runs no model.
    if method == .magnitude {
      try place.prune(method, selection: WeightSelection(skip: [Self.down]), to: "out")
    }
  }

  /// A norm that is huge, and a NaN in the embedding of a token that occurs: no weight is at fault then.
  @Test func activationsThatOverflowAreFoundWhereTheyArise() throws {
    var model = try model()
    for name in ["gate_proj", "up_proj"] {
      for index in 0..<40 * 48 {
        model.setBFloat16("model.layers.0.mlp.\(name).weight", at: index, to: 1e30)
      }
    }
    let place = try PrunedFolder(model)
    let tokens = try place.tokens(samples: 2, length: 10, vocabulary: 64)
    #expect(
      try expectNothingLeft(ModelError.self, place, .wanda, tokens)
        == .nonFiniteActivations(block: 0, stage: "down"))

    var other = try self.model()
    for id in 0..<64 {
      other.setBFloat16("model.embed_tokens.weight", at: id * 48 + 5, to: .nan)
    }
    let second = try PrunedFolder(other)
    let error = try expectNothingLeft(
      ModelError.self, second, .wanda,
      second.tokens(samples: 2, length: 10, vocabulary: 64))
    #expect(
      error?.description
        == "the activations that reach stage 'qkv' of block 0 hold NaN or infinity")
  }

  @Test func aModelThatIsBrokenFromTheStartIsNotSavedBySelfCalibration() throws {
    var model = try model()
    for index in 0..<48 { model.setBFloat16("model.norm.weight", at: index, to: .nan) }
    model.setBFloat16("model.layers.0.input_layernorm.weight", at: 0, to: .infinity)
    let place = try PrunedFolder(model)
    let error = try expectNothingLeft(
      PredictionError.self, place, .wanda, CalibrationOptions(samples: 2, length: 6))
    guard case .tensor(let found)? = error?.cause else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found.name == "model.norm.weight" && found.count == 48)
  }

  @Test(arguments: [PruningMethod.magnitude, .wanda])
  func inputsThatAreNoMultipleOfFourAreRefusedUnlessLeftOut(method: PruningMethod) throws {
    var model = try model()
    model.set("intermediate_size", 38)
    var random = SplitMix64(seed: 1)
    for block in 0..<2 {
      for (name, shape) in [("gate", [38, 48]), ("up", [38, 48]), ("down", [48, 38])] {
        let values = (0..<38 * 48).map { _ in Float.random(in: -1...1, using: &random) }
        model.put("model.layers.\(block).mlp.\(name)_proj.weight", shape, values)
      }
    }
    let place = try PrunedFolder(model)
    let tokens = try place.tokens(samples: 2, length: 10, vocabulary: 64)
    let calibration = method == .wanda ? tokens : nil
    let error = try expectNothingLeft(LayerError.self, place, method, calibration)
    #expect(error?.layer == "model.layers.0.mlp.down_proj.weight")
    #expect(error?.reason == .columnsNotMultipleOfFour(columns: 38))
    let report = try place.prune(
      method, calibration, selection: WeightSelection(skip: ["*down_proj*"]), to: "out")
    #expect(report.layers.count == 12)
  }

  @Test(arguments: [PruningMethod.magnitude, .wanda])
  func aGlobThatMatchesNothingIsNamed(method: PruningMethod) throws {
    let place = try PrunedFolder(model())
    for selection in [
      WeightSelection(only: ["*q_proj*", "*nothing*"]), WeightSelection(skip: ["*nothing*"]),
    ] {
      #expect(
        try expectNothingLeft(SelectionError.self, place, method, selection: selection)
          == .matchesNothing(glob: "*nothing*", candidates: 14))
    }
    #expect(
      try expectNothingLeft(
        SelectionError.self, place, method,
        selection: WeightSelection(only: ["*q_proj*"], skip: ["*self_attn*"])) == .nothingLeft)
  }

  @Test func aFileWithoutWeightsIsRefused() throws {
    var model = try model()
    model.tensors.removeAll { $0.spec.name.contains("layers") }
    let place = try PrunedFolder(model)
    #expect(
      try expectNothingLeft(SelectionError.self, place, .magnitude)
        == .noCandidates(path: place.input))
  }

  @Test func anOutputThatExistsIsKept() throws {
    let place = try PrunedFolder(model())
    try place.prune(.magnitude, to: "out")
    let before = try place.bytes("out")
    #expect(throws: CheckpointOutputError.exists(path: place.folder["out"])) {
      try place.prune(.magnitude, to: "out")
    }
    let options = PruneOptions(
      method: .magnitude, selection: WeightSelection(only: ["*q_proj*"]),
      output: place.folder["out"], force: true)
    #expect(try place.bytes("out") == before)
    _ = try PruneRun(place.input, options).run()
    #expect(try place.manifest("out/model.safetensors")["pruned"]?.array?.count == 2)
    #expect(throws: CheckpointOutputError.sameAsInput(path: place.input)) {
      try place.prune(.magnitude, to: "model")
    }
  }

  @Test(.enabled(if: !isSuperuser))
  func aFolderThatCannotBeWrittenToIsFoundBeforeTheWork() throws {
    let place = try PrunedFolder(model())
    try place.folder.write("", to: "locked/x")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o500], ofItemAtPath: place.folder["locked"])
    var steps = 0
    #expect(throws: FileError.self) {
      try place.prune(
        .wanda, CalibrationOptions(samples: 2, length: 6), to: "locked/out",
        progress: { _ in steps += 1 })
    }
    #expect(steps == 0)
  }

  @Test func aFolderThatIsNotThereIsFoundBeforeTheWork() throws {
    let place = try PrunedFolder(model())
    #expect(throws: FileError.missingFolder(path: place.folder["none"])) {
      try place.prune(.wanda, to: "none/out", progress: { _ in Issue.record("worked first") })
    }
  }

  /// Every point at which the run tells its progress is one at which it can be stopped.
  @Test(arguments: ["magnitude", "wanda", "wanda self"])
  func stoppingAnywhereLeavesNothingButFinishedWork(kind: String) throws {
    let place = try PrunedFolder(model())
    let method: PruningMethod = kind == "magnitude" ? .magnitude : .wanda
    let tokens = try place.tokens(samples: 3, length: 6, vocabulary: 64)
    let calibration =
      kind == "magnitude"
      ? nil : kind == "wanda" ? tokens : CalibrationOptions(samples: 3, length: 6)
    var seen: [SparseCore.RunProgress] = []
    try place.prune(method, calibration, to: "whole", progress: { seen.append($0) })
    // Magnitude takes the whole of a model this small at once.
    #expect(seen.count > (method == .magnitude ? 1 : 10))
    #expect(seen.allSatisfy { $0.done >= 0 && $0.done <= $0.total })
    let before = try place.folder.contents()
    for stop in seen.indices {
      var count = 0
      let error = #expect(throws: (any Error).self) {
        try place.prune(
          method, calibration, to: "out",
          progress: { _ in
            if count == stop { throw CancellationError() }
            count += 1
          })
      }
      #expect(count == stop)
      if let error = error as? UnfinishedRun {
        #expect(error.error is CancellationError)
        #expect(error.folder == place.folder["out.partial"])
        try FileManager.default.removeItem(atPath: error.folder)
      } else {
        #expect(error is CancellationError)
      }
      #expect(try place.folder.contents() == before)
    }
  }

  @Test func tooLittleTextForTheCalibrationIsFoundBeforeTheWork() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let text = try place.folder.write("Too short.", to: "short.txt")
    let error = try expectNothingLeft(
      CalibrationError.self, place, .wanda,
      CalibrationOptions(source: .text(path: text), samples: 2, length: 64),
      progress: { _ in Issue.record("worked first") })
    if case .tooLittleText(text, let tokens, 2, 64)? = error {
      #expect(tokens > 0 && tokens < 128)
    } else {
      Issue.record("\(String(describing: error))")
    }
  }

  @Test func aCalibrationLongerThanTheContextIsRefused() throws {
    let place = try PrunedFolder(model())
    #expect(
      try expectNothingLeft(
        ModelError.self, place, .wanda, CalibrationOptions(samples: 1, length: 65))
        == .contextTooLong(asked: 65, context: 64))
  }
}

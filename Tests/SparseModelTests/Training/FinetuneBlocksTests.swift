internal import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Training block by block, from what the dense blocks give.
@Suite struct FinetuneBlocksTests {
  /// The mean of ‖y − t‖² / ‖t‖² over the tokens, of the residual streams after the last block.
  static func distance(
    _ model: Checkpoint, from dense: Checkpoint, on windows: TokenWindows
  ) throws -> Double {
    func hidden(_ checkpoint: Checkpoint) throws -> [Matrix] {
      try LanguageModel(checkpoint).hiddenStates(
        of: windows, .float32, chunkTokens: 2048, on: .automatic
      ) { _ in }
    }
    var (sum, count) = (0.0, 0)
    for (y, t) in zip(try hidden(model), try hidden(dense)) {
      for row in 0..<y.rows {
        var (error, norm) = (0.0, 0.0)
        for column in 0..<y.columns {
          let (a, b) = (Double(y[row, column]), Double(t[row, column]))
          error += (a - b) * (a - b)
          norm += b * b
        }
        sum += error / norm
        count += 1
      }
    }
    return sum / Double(count)
  }

  @Test(arguments: ModelFixture.architectures)
  func everyBlockComesNearerToTheDenseOne(fixture: ModelFixture) throws {
    let place = try TrainingPlace(fixture, as: .float32)
    let report = try place.run(place.blockOptions())
    #expect(report.blocks.map(\.block) == [0, 1])
    for block in report.blocks { #expect(block.after < 0.95 * block.before, "\(block)") }
    // The last block's error is that of the whole model, whose blocks before are those that were written.
    let (sparse, out, dense) = try (
      place.checkpoint("sparse"), place.checkpoint("out"), place.checkpoint("model")
    )
    let measured = try Self.distance(out, from: dense, on: place.windows)
    #expect(abs(measured / report.blocks[1].after - 1) < 1e-4)
    #expect(try measured < Self.distance(sparse, from: dense, on: place.windows))
    let check = try out.check()
    #expect(check.passed && check.count(.sparse) == 14)
    #expect(report.objective == "block reconstruction")
    #expect(report.windows == (9, 12), "none of the text is set aside")
    #expect(report.log == TrainingLog() && report.best == nil)
    let training = try place.place.manifest("out/model.safetensors")["training"]
    #expect(training?["objective"] == "block reconstruction")
  }

  @Test(arguments: [ScalarType.float32, .float16, .bfloat16])
  func onlyWhatIsInBlocksChanges(type: ScalarType) throws {
    let place = try TrainingPlace(as: type)
    let report = try place.run(
      place.blockOptions { $0.frozen = ["*.layers.1.mlp.*", "*input_layernorm*"] })
    let (before, after) = try (place.tensors("sparse"), place.tensors("out"))
    for (name, bytes) in before {
      let isFixed =
        !name.contains(".layers.") || name.contains(".layers.1.mlp.")
        || name.contains("input_layernorm")
      #expect((after[name] == bytes) == isFixed, "\(name)")
    }
    let checkpoint = try place.checkpoint("out")
    #expect(
      try checkpoint.tensors.map(\.info.spec)
        == place.checkpoint("sparse").tensors.map(\.info.spec))
    #expect(try checkpoint.check().passed)
    #expect(report.blocks.count == 2)
  }

  @Test func blocksThatAreFrozenAreOnlyPassed() throws {
    let place = try TrainingPlace()
    let report = try place.run(place.blockOptions { $0.frozen = ["*.layers.0.*"] })
    #expect(report.blocks.map(\.block) == [1])
    let (before, after) = try (place.tensors("sparse"), place.tensors("out"))
    for (name, bytes) in before {
      #expect((after[name] == bytes) == !name.contains(".layers.1."), "\(name)")
    }
  }

  /// With a rate that changes nothing, and with ones that make nothing better.
  @Test(arguments: [1e-30, 10, 1e30]) func whereNoBlockGetsBetterNothingIsWritten(rate: Double)
    throws
  {
    let place = try TrainingPlace()
    #expect(throws: TrainingError.noBlockBetter) {
      try place.run(place.blockOptions(ReconstructionOptions(epochs: 1, learningRate: rate)))
    }
    #expect(!FileSystem.isTaken(place.folder["out"]))
    #expect(!FileSystem.isTaken(place.folder["out.partial"]))
    // While a block is pruned, it is as good as it was.
    func pruned(_ rate: Double?, to output: String) throws -> PruneReport {
      var options = PruneOptions(
        method: .magnitude, calibration: place.options().data, output: place.folder[output])
      options.reconstruction = rate.map { ReconstructionOptions(epochs: 1, learningRate: $0) }
      return try PruneRun(place.dense, options).run()
    }
    let report = try pruned(rate, to: "out")
    #expect(report.blocks.count == 2)
    #expect(report.blocks.allSatisfy { $0.before == $0.after && $0.before > 0 })
    _ = try pruned(nil, to: "plain")
    #expect(try place.tensors("out") == place.tensors("plain"))
  }

  @Test func theBytesDoNotDependOnThreadsOrMemory() throws {
    let place = try TrainingPlace()
    for threads in [1, 2, 3] {
      try place.run(place.blockOptions(to: "out\(threads)"), threads: threads)
    }
    let error = #expect(throws: MemoryBudgetError.self) {
      try place.run(place.blockOptions(to: "small") { $0.memory = 1 })
    }
    guard case .tooSmall(1, let least, let step) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(step == "train a block")
    #expect(!FileSystem.isTaken(place.folder["small"]))
    #expect(!FileSystem.isTaken(place.folder["small.partial"]))
    // The residual streams are in scratch files then.
    try place.run(place.blockOptions(to: "small") { $0.memory = least })
    let first = try place.bytes("out1")
    for name in ["out2", "out3", "small"] { #expect(try place.bytes(name) == first, "\(name)") }
  }
}

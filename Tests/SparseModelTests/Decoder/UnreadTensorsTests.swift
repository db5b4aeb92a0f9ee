import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// The tensors of a checkpoint that its config.json gives no part in the forward pass.
@Suite struct UnreadTensorsTests {
  let folder: TemporaryFolder
  var model: EditedModel

  init() throws {
    folder = try TemporaryFolder()
    model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
  }

  private func decoder() throws -> LanguageModel {
    try LanguageModel(Checkpoint(path: model.write(to: folder)))
  }

  @Test mutating func whatNothingReadsIsListed() throws {
    #expect(try decoder().unreadTensors.isEmpty)
    let names = ["model.layers.0.self_attn.q_norm.weight", "model.layers.1.self_attn.o_proj.bias"]
    for name in names { model.put(name, [2], [1, 2]) }
    #expect(Set(try decoder().unreadTensors) == Set(names))
    // With the wrong family its own biases are such, too.
    model.set("model_type", "mistral")
    let biases = (0..<2).flatMap { block in
      "qkv".map { "model.layers.\(block).self_attn.\($0)_proj.bias" }
    }
    #expect(Set(try decoder().unreadTensors) == Set(names + biases))
  }

  /// Buffers that transformers itself leaves out of its report of unexpected tensors.
  @Test mutating func buffersOfOlderVersionsAreNot() throws {
    for name in ["model.layers.0.self_attn.rotary_emb.inv_freq", "model.position_ids"] {
      model.put(name, [2], [1, 2])
    }
    #expect(try decoder().unreadTensors.isEmpty)
  }

  @Test mutating func blocksThatPredictFurtherAheadAreLeftAlone() throws {
    let linears = ["model.layers.2.mlp.up_proj.weight", "mtp.layers.0.mlp.up_proj.weight"]
    for name in linears { model.put(name, [4, 4], (0..<16).map { Float($0) + 1 }) }
    #expect(throws: ModelError.self) { try decoder() }
    model.set("num_nextn_predict_layers", 1)
    #expect(Set(try decoder().unreadTensors) == Set(linears))
    let report = try PruneRun(
      folder["model"], PruneOptions(method: .magnitude, output: folder["out"])
    ).run()
    #expect(report.layers.count == 14)
    let out = try Checkpoint(path: folder["out"])
    for name in linears {
      #expect(
        try out.bytes(of: name).array == Checkpoint(path: folder["model"]).bytes(of: name).array)
    }
    model.put("model.layers.3.mlp.up_proj.weight", [4, 4], [Float](repeating: 1, count: 16))
    #expect(throws: ModelError.self) { try decoder() }
  }
}

import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What a weight is by its name and shape.
///
/// The names are those of `save_pretrained` of transformers 5.24, or of the files on public hubs. What is pruned is
/// what llm-compressor 0.9 would: it ignores `re:.*mlp.gate$`, `re:.*shared_expert_gate$`, `lm_head`, vision towers
/// and projectors by default in its examples for these families.
@Suite struct WeightRoleTests {
  private static let linears: [(String, [Int])] = [
    ("model.layers.0.self_attn.q_proj.weight", [32, 32]),
    ("model.layers.11.mlp.gate_proj.weight", [48, 32]),
    ("model.language_model.layers.0.mlp.up_proj.weight", [48, 32]),
    ("language_model.model.layers.0.self_attn.o_proj.weight", [32, 32]),
    ("layers.0.mlp.down_proj.weight", [32, 48]), ("layers.0.weight", [8, 8]),
    ("transformer.h.3.self_attention.query_key_value.weight", [96, 32]),
    ("transformer.h.0.mlp.dense_4h_to_h.weight", [32, 128]),
    ("transformer.blocks.0.attn.Wqkv.weight", [96, 32]),
    ("gpt_neox.layers.0.attention.dense.weight", [32, 32]),
    ("model.decoder.layers.0.fc1.weight", [48, 32]),
    ("decoder.block.0.layer.0.SelfAttention.q.weight", [32, 32]),
    ("model.layers.0.mlp.experts.7.down_proj.weight", [32, 16]),
    ("model.layers.0.block_sparse_moe.experts.0.w1.weight", [24, 32]),
    ("model.layers.0.mlp.shared_expert.up_proj.weight", [20, 32]),
    ("model.layers.0.mlp.shared_experts.gate_proj.weight", [32, 32]),
    ("model.layers.0.self_attn.kv_a_proj_with_mqa.weight", [24, 32]),
    ("model.layers.0.linear_attn.in_proj_qkvz.weight", [96, 32]),
    ("model.layers.0.linear_attn.out_proj.weight", [32, 32]),
    ("model.layers.0.multi_head_attention.q.weight", [32, 32]),
    ("model.layers.0.mixer.in_proj.weight", [96, 32]),
  ]

  @Test(arguments: linears) func linearLayersOfBlocks(name: String, shape: [Int]) {
    #expect(WeightRole(name: name, shape: shape, hasExperts: false) == .linear)
  }

  private static let others: [(String, [Int], WeightRole)] = [
    ("model.layers.0.mlp.gate.weight", [8, 32], .router),
    ("model.layers.0.mlp.gate.wg.weight", [8, 32], .router),
    ("model.layers.0.block_sparse_moe.gate.weight", [6, 32], .router),
    ("model.layers.0.block_sparse_moe.router.layer.weight", [8, 32], .router),
    ("model.layers.0.feed_forward.router.weight", [4, 32], .router),
    ("model.layers.0.mlp.router.weight", [4, 32], .router),
    ("model.layers.0.router.proj.weight", [8, 32], .router),
    ("transformer.blocks.0.ffn.router.layer.weight", [16, 32], .router),
    ("model.layers.0.mlp.shared_expert_gate.weight", [1, 32], .gate),
    ("model.layers.0.linear_attn.in_proj_a.weight", [4, 32], .gate),
    ("model.layers.0.linear_attn.in_proj_b.weight", [4, 32], .gate),
    ("model.layers.0.linear_attn.in_proj_ba.weight", [8, 32], .gate),
    ("model.layers.0.linear_attn.conv1d.weight", [64, 1, 4], .convolution),
    ("model.layers.0.conv.conv.weight", [64, 1, 3], .convolution),
    ("vision_tower.vision_model.encoder.layers.0.self_attn.k_proj.weight", [16, 16], .tower),
    ("model.visual.blocks.0.attn.qkv.weight", [48, 16], .tower),
    ("model.vision_model.encoder.layers.1.mlp.fc1.weight", [32, 16], .tower),
    ("audio_tower.layers.0.self_attn.q_proj.weight", [16, 16], .tower),
    ("thinker.audio_tower.layers.0.fc1.weight", [16, 16], .tower),
    ("mm_projector.0.weight", [128, 64], .projector),
    ("multi_modal_projector.linear_1.weight", [64, 32], .projector),
    ("model.connector.modality_projection.proj.weight", [32, 64], .projector),
    (
      "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", [32, 8], .position
    ),
    ("model.layers.0.mlp.experts.gate_up_proj", [4, 32, 32], .stackedExperts),
    ("model.layers.0.block_sparse_moe.input_linear.weight", [4, 32, 32], .stackedExperts),
    ("model.qformer.layers.0.attention.query.weight", [16, 16], .projector),
    ("mtp.layers.0.mlp.up_proj.weight", [48, 32], .prediction),
    ("medusa_head.0.0.linear.weight", [32, 32], .head),
    ("model.layers.0.self_attn.q_norm.weight", [4, 8], .ordinary),
    ("model.embed_tokens.weight", [128, 32], .ordinary),
    ("transformer.wte.weight", [128, 32], .ordinary), ("score.weight", [2, 32], .ordinary),
    ("lm_head.weight", [128, 32], .ordinary),
  ]

  @Test(arguments: others) func allElseIsToldApart(
    name: String, shape: [Int], role: WeightRole
  ) {
    #expect(WeightRole(name: name, shape: shape, hasExperts: true) == role)
  }

  /// A gate without experts is a router only where it is narrow.
  @Test func aGateOfADenseModelIsALinear() {
    let name = "model.layers.0.mlp.gate.weight"
    #expect(WeightRole(name: name, shape: [96, 32], hasExperts: false) == .linear)
    #expect(WeightRole(name: name, shape: [96, 32], hasExperts: true) == .router)
    #expect(WeightRole(name: name, shape: [8, 32], hasExperts: false) == .router)
  }

  @Test func magnitudeAndInt8LeaveThemAloneAndSaySo() throws {
    let folder = try TemporaryFolder()
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    let values = (1...32).map(Float.init)
    let (up, router) = (
      "model.layers.0.mlp.experts.0.up_proj.weight", "model.layers.0.mlp.gate.weight"
    )
    model.put(up, [4, 8], values)
    model.put(router, [4, 8], values)
    model.put("vision_tower.layers.0.fc.weight", [4, 8], values)
    model.put("model.layers.0.mlp.experts.down_proj", [2, 4, 4], values)
    model.put("score.weight", [4, 8], values)
    let path = try model.write(to: folder)
    let expected = [
      LeftAlone(kind: "router", count: 1, first: router),
      LeftAlone(kind: "vision or audio weight", count: 1, first: "vision_tower.layers.0.fc.weight"),
      LeftAlone(
        kind: "stacked expert tensor", count: 1, first: "model.layers.0.mlp.experts.down_proj"),
    ]
    let pruned = try PruneRun(path, PruneOptions(method: .magnitude, output: folder["p"])).run()
    #expect(pruned.layers.map(\.name) == [up])
    #expect(Set(pruned.leftAlone.map(\.kind)) == Set(expected.map(\.kind)))
    let rounded = try QuantizeRun(path, QuantizeOptions(output: folder["q"])).run()
    #expect(rounded.layers.map(\.name) == [up])
    #expect(Set(rounded.leftAlone.map(\.kind)) == Set(expected.map(\.kind)))
    // All that a loader would take for an INT8 layer and that is none (compressed-tensors: `ignore`).
    let config = try JSON(parsing: ByteView(copying: folder.read("q/config.json")))
    let ignored = config["quantization_config"]?["ignore"]?.array?.compactMap(\.string) ?? []
    #expect(ignored.first == "lm_head")
    #expect(
      Set(ignored) == [
        "lm_head", "model.layers.0.mlp.gate", "vision_tower.layers.0.fc", "score",
      ])
    for name in [router, "vision_tower.layers.0.fc.weight", "score.weight"] {
      #expect(try Matrix(Checkpoint(path: folder["p"]).matrix(name)).values == values)
      #expect(try Matrix(Checkpoint(path: folder["q"]).matrix(name)).values == values)
    }
  }
}

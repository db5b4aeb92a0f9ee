import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What comes along beside new weights, and what the model's card says of them.
@Suite struct ModelCardTests {
  private static let manifest: JSON = [
    "version": "1.2.3", "method": "admm", "pruned": ["a", "b"], "quantization": nil,
    "calibration": ["source": "self", "samples": 128, "length": 512], "encoding": nil,
    "training": nil,
  ]

  @Test(arguments: ["\n", "\r\n"])
  func theSectionFollowsTheYAML(newline: String) {
    let yaml = ["---", "license: mit", "tags:", "- a", "---"].joined(separator: newline)
    let body = ["# Model", "", "Text", ""].joined(separator: newline)
    let text = ModelCard(text: yaml + newline + newline + body).text(describing: Self.manifest)
    #expect(text.hasPrefix(yaml + "\n\n<!-- sparsify: begin -->\n"))
    #expect(text.hasSuffix("<!-- sparsify: end -->\n\n" + body))
    for part in ["`sparsify` 1.2.3", "2 weights are 2:4", "`admm`", "128 × 512 tokens"] {
      #expect(text.contains(part), "\(part)")
    }
    // Another run replaces it.
    #expect(ModelCard(text: text).text(describing: Self.manifest) == text)
    let int8: JSON = ["version": "2", "pruned": [], "quantization": ["groupSize": 128]]
    let again = ModelCard(text: text).text(describing: int8)
    #expect(again.contains("INT8, with a scale for each group of 128 columns"))
    #expect(!again.contains("admm") && !again.contains("sparsify check"))
    #expect(again.hasSuffix("\n\n" + body))
  }

  @Test(arguments: ["# Model\n", "", "---\n no end of this\n", "--- a rule\n"])
  func withoutYAMLTheSectionIsFirst(text: String) {
    let card = ModelCard(text: text).text(describing: Self.manifest)
    #expect(card.hasPrefix("<!-- sparsify: begin -->\n"))
    #expect(card.hasSuffix("<!-- sparsify: end -->\n\n" + text))
  }

  /// Whatever the step, one section says what was done.
  @Test func everyStepWritesItsCard() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let folder = place.folder
    try folder.write("---\nlicense: mit\n---\n# Ada\n", to: "model/README.md")
    try place.prune(.magnitude, to: "sparse")
    _ = try CompressRun(folder["sparse"], EncodingOptions(output: folder["small"])).run()
    _ = try ExpandRun(folder["small"], EncodingOptions(output: folder["whole"])).run()
    func card(_ name: String) throws -> String {
      String(decoding: try folder.read("\(name)/README.md"), as: UTF8.self)
    }
    for name in ["sparse", "small", "whole"] {
      let text = try card(name)
      #expect(text.hasPrefix("---\nlicense: mit\n---\n\n<!-- sparsify: begin -->\n"))
      #expect(text.hasSuffix("<!-- sparsify: end -->\n\n# Ada\n"))
      #expect(text.ranges(of: "begin -->").count == 1)
      #expect(text.contains("28 weights are 2:4 sparse"))
      #expect(text.contains("sparse-24-bitmask") == (name == "small"))
    }
    #expect(try card("whole") == card("sparse"))
  }

  @Test func withoutACardNoneIsWritten() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    try place.prune(.magnitude, to: "sparse")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: place.folder["sparse"]).sorted()
        == ["config.json", "model.safetensors", "tokenizer.json"])
  }

  @Test func weightsInOtherFormsStayBehind() throws {
    let place = try PrunedFolder(EditedModel(.tiny))
    let old = [
      "pytorch_model_fsdp_0/__0_0.distcp", "weights.npz", "model.onnx.data", "model.onnx_data_1",
      "ggml-model-f16.ggml", "state.pkl", "model.safetensors.aria2", "adapter_config.json",
      "adapter_model.safetensors", "optimizer.pt", "rng_state_0.pth",
      "flax_model.msgpack.index.json",
      "pytorch_model.bin.index.json", "model.ptl", "model.mlmodel", "model.tflite", "rank0.engine",
      "model.safetensors.incomplete", "x.part", "x.crdownload", "x.lock", "onnx/config.json",
      "global_step500/mp_rank_00_model_states.pt", "checkpoint-500/trainer_state.json",
      "Model.mlpackage/Manifest.json", "MODEL.GGUF", "saved_model.pb",
    ]
    let kept = [
      ".gitattributes", "LICENSE", "additional_chat_templates/tool_use.jinja",
      "chat_template.jinja",
      "config.json", "figures/loss.png", "generation_config.json", "merges.txt",
      "special_tokens_map.json", "tokenizer.model", "vocab.json",
    ]
    for name in old + kept where name != "config.json" {
      try place.folder.write("x", to: "model/\(name)")
    }
    try place.prune(.magnitude, to: "out")
    let files = try FileManager.default.subpathsOfDirectory(atPath: place.folder["out"]).filter {
      try FileSystem.kind(of: place.folder["out/" + $0]) == .file
    }
    #expect(Set(files) == Set(kept + ["model.safetensors", "tokenizer.json"]))
  }
}

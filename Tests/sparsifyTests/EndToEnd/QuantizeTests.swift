import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `sparsify quantize` on the trained fixture, as a user runs it.
@Suite(.timeLimit(.minutes(20))) struct QuantizeEndToEndTests {
  @Test func makesACompleteFolderThatIsEvaluated() throws {
    let model = try TinyModel()
    let run = try ToolRun("quantize", model.path)
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.lines.first == "quantized    28 weights to INT8, a scale for each output channel")
    #expect(run.lines.last == "output       \(model.path)-int8")
    #expect(try model.made() == ["model-int8"])
    #expect(
      try model.folder.read("model-int8/tokenizer.json")
        == model.folder.read("model/tokenizer.json"))
    let text = ["--text", TinyModel.text("heldout.txt"), "--length", "64", "--windows", "2"]
    let dense = try ToolRun(["eval", model.path, "--json"] + text).json()["perplexity"]?.double
    let int8 = try ToolRun(["eval", model.path + "-int8", "--json"] + text)
    #expect(int8.status == 0)
    let perplexity = try #require(int8.json()["perplexity"]?.double)
    #expect(abs(perplexity / (dense ?? 0) - 1) < 0.01)
    let both = try ToolRun(["eval", model.path + "-int8", "--activations", "int8"] + text)
    #expect(both.status == 0)
    #expect(both.lines.contains { $0.hasPrefix("activations  int8, every token on") })
    let refused = try ToolRun(["eval", model.path, "--activations", "int8"] + text)
    #expect(refused.status == 65 && refused.errors.contains("no linear layer is INT8"))
    #expect(try ToolRun("inspect", model.path + "-int8").status == 0)
    #expect(try ToolRun("generate", model.path + "-int8", "-p", "The", "--tokens", "4").status == 0)
  }

  @Test func theObjectKeepsItsContract() throws {
    let model = try TinyModel()
    let run = try ToolRun("quantize", model.path, "--json", "--group-size", "32")
    #expect(
      try run.json().differences(from: [
        "schema": 1, "type": "string", "groupSize": "integer", "output": "string",
        "seconds": "number", "peakResidentBytes": "integer",
        "layers": [
          [
            "name": "string", "shape": "shape", "seconds": "number", "weightError": "number",
            "smallestScale": "number", "largestScale": "number",
          ]
        ],
      ]) == [])
  }

  @Test func groupsComeWithANoteOfWhoTakesThem() throws {
    let model = try TinyModel()
    let run = try ToolRun("quantize", model.path, "--group-size", "32")
    #expect(run.lines.contains { $0.contains("vLLM's W8A8 does not take them") })
  }

  @Test func aDryRunWritesNothing() throws {
    let model = try TinyModel()
    let run = try ToolRun("quantize", model.path, "--dry-run")
    #expect(run.status == 0)
    #expect(run.output.contains("quantizes    28 of 38 tensors to INT8"))
    #expect(run.lines.last == "Nothing has been written.")
    let json = try ToolRun("quantize", model.path, "--dry-run", "--json").json()
    #expect(json["layers"]?.array?.count == 28 && json["dryRun"] == true)
    #expect(try model.made() == [])
    // The size that it promises is that of the output.
    _ = try ToolRun("quantize", model.path)
    let bytes = try SafetensorsFile(path: model.path + "-int8/model.safetensors").tensors
    #expect(json["outputBytes"]?.int == bytes.reduce(0) { $0 + $1.byteCount })
  }

  @Test func wrongInputHasAStatusOfItsOwn() throws {
    let model = try TinyModel()
    let groups = try ToolRun("quantize", model.path, "--group-size", "48")
    #expect(groups.status == 65)
    #expect(
      groups.errors
        == "Error: \(model.path): tensor 'model.layers.0.mlp.down_proj.weight': groups of 48 inputs: must be a multiple of 4 and divide the weight's 352\n"
    )
    #expect(try model.made() == [])
    _ = try ToolRun("quantize", model.path)
    #expect(try ToolRun("quantize", model.path).status == 64)
    let again = try ToolRun("quantize", model.path + "-int8")
    #expect(again.status == 65 && again.errors.contains("is INT8 already"))
    let prune = try ToolRun("prune", model.path + "-int8", "--method", "magnitude")
    #expect(prune.status == 65)
  }
}

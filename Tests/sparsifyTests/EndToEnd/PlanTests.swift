import SparseCore
import TestSupport
import Testing

@testable import sparsify

@Suite struct PlanEndToEndTests {
  @Test func theObjectKeepsItsContract() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      "plan", model.path, "--gpu", "h100-sxm", "--batch", "1,16", "--dtype", "int8", "--json")
    #expect(run.status == 0)
    let object = try run.json()
    #expect(
      object.differences(from: [
        "schema": 1, "gpu": "h100-sxm", "form": "2:4 INT8",
        "layers": [
          [
            "name": "string", "m": "integer", "n": "integer", "k": "integer",
            "denseSeconds": "number", "sparseSeconds": "number", "speedup": "number",
            "bound": "string", "obstacle": "string?",
          ]
        ],
        "memory": ["context": 256, "cacheBytesPerToken": 1024],
        "verdict": "string", "advice": ["string"],
      ]) == [])
    // 28 linears at 1 and 16 rows for decoding, at 256 and 4096 for prompts.
    #expect(object["layers"]?.array?.count == 28 * 4)
    #expect(object["layers"]?.array?.first?["m"]?.int == 1)
  }

  @Test func theTextEndsWithAVerdictAndACommand() throws {
    let model = try TinyModel()
    let run = try ToolRun("plan", model.path, "--gpu", "L4", "--context", "128")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let last = run.lines.suffix(2).map { $0.prefix { $0 != " " } }
    #expect(last == ["verdict", "next"])
    #expect(run.output.contains("8 × k_proj, v_proj"))
    #expect(run.output.contains("dense fp16: 737280 in linears × 2 bytes + 0.13 MB = 1.61 MB\n"))
    #expect(run.output.contains("no gain over dense fp16\n"))
    #expect(run.output.contains("KV cache     2 × 4 blocks × 2 heads × 32 wide × 2 bytes = 1 KiB"))
  }

  @Test func aGPUCanBeGivenByItsNumbers() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      "plan", model.path, "--gpu-spec", "fp16=65,int8=130,bandwidth=320,memory=16,sparse=no")
    #expect(run.status == 0)
    #expect(run.output.contains("custom has no sparse tensor cores"))
  }

  @Test(arguments: [
    (["--gpu", "h100-smx"], "Did you mean 'h100-sxm'?"),
    (["--gpu", "v100"], "'a100-40', 'a100-80'"),
    (["--gpu-spec", "fp16=1"], "'int8' is missing"), ([], "--gpu"),
    (["--gpu", "l4", "--gpu-spec", "fp16=1"], "--gpu"),
    (["--gpu", "l4", "--batch", "1,0"], "must be whole numbers from 1 to 1048576"),
    (["--gpu", "l4", "--dtype", "fp8"], "choose from 'fp16', 'int8'"),
  ])
  func wrongUsageSaysWhatIsRight(words: [String], reason: String) throws {
    let model = try TinyModel()
    let run = try ToolRun(["plan", model.path] + words)
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
    #expect(run.errors.contains(reason), "\(run.errors)")
  }

  @Test func aModelWithoutAConfigurationIsRefused() throws {
    let model = try TinyModel()
    let run = try ToolRun("plan", model.weights + "x", "--gpu", "l4")
    #expect(run.status == 65)
    try model.configure("num_attention_heads", nil)
    let missing = try ToolRun("plan", model.path, "--gpu", "l4")
    #expect(missing.status == 65)
    #expect(
      missing.errors == "Error: \(model.path)/config.json: num_attention_heads is missing\n")
  }
}

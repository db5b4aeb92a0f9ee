import SparseCore
import TestSupport
import Testing

@testable import sparsify

@Suite(.timeLimit(.minutes(20))) struct PlanEndToEndTests {
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
            "bound": "string", "obstacle": "string?", "measured": false,
          ]
        ],
        "measured": .null, "memory": ["context": 256, "cacheBytesPerToken": 1024],
        "verdict": "string", "verdictText": "string", "weights": true, "advice": ["string"],
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
    #expect(run.output.contains("no gain over the best dense form\n"))
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
    (["--gpu", "h100-smx"], "Did you mean 'h100-sxm' or 'h100-pcie'?"),
    (["--gpu", "rtx-409"], "Did you mean 'rtx-4090'?"),
    (["--gpu", "NVIDIA H100 NVL"], "Did you mean 'h100-sxm' or 'h100-pcie'?"),
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

  /// A table of what `bench` has measured: 2:4 INT8 of one shape, ten times as slow as dense fp16, and nothing else.
  private static func table(slow: JSON = 200e-6) -> JSON {
    func time(_ form: JSON, _ seconds: JSON) -> JSON {
      ["form": form, "rows": 1, "outputs": 352, "inputs": 128, "seconds": seconds]
    }
    return [
      "schema": 1, "version": "1.0", "device": "cuda", "gpu": ["name": "NVIDIA H100 80GB HBM3"],
      "times": [time("dense fp16", 20e-6), time("2:4 INT8", slow)],
    ]
  }

  @Test func measuredTimesAreTakenFromTheirFile() throws {
    let model = try TinyModel()
    let path = try model.folder.write(Self.table().text(), to: "h100.json")
    let words = [
      "plan", model.path, "--gpu", "h100-sxm", "--dtype", "int8", "--batch", "1", "--measured",
      path,
    ]
    let object = try ToolRun(words + ["--json"]).json()
    #expect(
      object.differences(from: [
        "measured": [
          "gpu": "NVIDIA H100 80GB HBM3", "file": .string(path), "linears": 8, "of": 28,
          "forms": [["form": "string", "linears": "integer"]],
        ]
      ]) == [])
    let layers = try #require(object["layers"]?.array)
    for layer in layers where layer["m"] == 1 {
      #expect(layer["measured"] == .bool(layer["n"] == 352))
      guard layer["n"] == 352 else { continue }
      #expect(layer["denseSeconds"] == 20e-6 && layer["sparseSeconds"] == 200e-6)
      #expect(layer["obstacle"] == "at 1 row the dense kernel is as fast")
    }
    let text = try ToolRun(words)
    #expect(
      text.output.contains(
        "measured     8 of 28 linears in dense fp16 and 2:4 INT8, on NVIDIA H100 80GB HBM3 (\(path))\n"
      ))
    #expect(text.output.contains("- 8 × gate_proj, up_proj of 352 × 128: dense INT8, 2:4 fp16\n"))
    #expect(try ToolRun(words + ["--report", model.folder["plan.html"]]).status == 0)
    let markup = try Markup(String(decoding: model.folder.read("plan.html"), as: UTF8.self))
    #expect(markup.text.contains("Measured: 8 of 28 linears"))
    let over = try ToolRun(words + ["--report", path])
    #expect(over.status == 64 && over.errors.contains("is a file that is read"))
  }

  @Test func aBadTableIsBadInput() throws {
    let model = try TinyModel()
    let path = try model.folder.write(Self.table(slow: -1).text(), to: "h100.json")
    let run = try ToolRun("plan", model.path, "--gpu", "l4", "--measured", path)
    #expect(run.status == 65 && run.output.isEmpty)
    #expect(
      run.errors
        == "Error: \(path): times[1]: 'seconds' is -1.0, not from 1e-09 to 1000000.0\n")
  }

  @Test func configurationAloneWillDo() throws {
    let model = try TinyModel()
    let words = ["--gpu", "NVIDIA H100 80GB HBM3", "--batch", "1"]
    let dense = try ToolRun(["plan", model.path] + words)
    let folder = try TemporaryFolder()
    try folder.write(model.folder.read("model/config.json"), to: "config.json")
    let alone = try ToolRun(["plan", folder["config.json"]] + words)
    #expect(alone.status == 0 && alone.errors.isEmpty)
    #expect(
      alone.output.contains("weights      none here: shapes and names follow from config.json"))
    #expect(alone.output.contains("dense fp16: 737280 in linears × 2 bytes + 0.13 MB = 1.61 MB\n"))
    #expect(alone.lines.last?.hasSuffix("\(folder.path)   # once the weights are there") == true)
    func table(_ run: ToolRun) -> [String] {
      run.lines.filter { $0.hasPrefix("decode") || $0.hasPrefix("prefill") }
    }
    #expect(table(alone) == table(dense) && table(alone).count == 2)
  }

  @Test func aModelWithoutAConfigurationIsRefused() throws {
    let model = try TinyModel()
    let run = try ToolRun("plan", model.weights + "x", "--gpu", "l4")
    #expect(run.status == 65)
    try model.configure("model_type", nil)
    let missing = try ToolRun("plan", model.path, "--gpu", "l4")
    #expect(missing.status == 65)
    #expect(
      missing.errors == "Error: \(model.path)/config.json: model_type is missing\n")
  }
}

import SparseCore
import TestSupport
import Testing

/// NaN in a model's weights ends whatever reads its predictions, and fails its check.
@Suite struct NonFiniteTests {
  private static let embedding = "model.embed_tokens.weight"

  /// The fixture with a NaN in the embedding of a token that no text has.
  private func broken() throws -> TinyModel {
    let model = try TinyModel()
    try model.set(Self.embedding, at: 511 * 128, toBits: 0x7FC0)
    return model
  }

  @Test(
    arguments: [
      ["eval", "MODEL", "--text", "TEXT", "--length", "64", "--windows", "2"],
      ["compare", "MODEL", "MODEL", "--text", "TEXT", "--length", "64", "--windows", "2"],
      ["generate", "MODEL", "-p", "Ada has", "--tokens", "4"],
      ["generate", "MODEL", "-p", "Ada has", "--tokens", "4", "--temperature", "0"],
      ["prune", "MODEL", "--method", "wanda", "--samples", "2", "--length", "16", "-o", "OUT"],
      ["prune", "MODEL", "--method", "magnitude", "--text", "TEXT", "--windows", "2", "-o", "OUT"],
      ["sensitivity", "MODEL", "--samples", "2", "--length", "16"],
      ["calibrate", "MODEL", "--samples", "2", "--length", "16", "-o", "OUT"],
      [
        "sweep", "MODEL", "--methods", "magnitude", "--text", "TEXT", "--windows", "2", "-o", "OUT",
      ],
    ])
  func theTensorIsNamedAndTheStatusIs65(arguments: [String]) throws {
    let model = try broken()
    let names = [
      "MODEL": model.path, "TEXT": TinyModel.text("heldout.txt"), "OUT": model.folder["out"],
    ]
    let run = try ToolRun(arguments.map { names[$0] ?? $0 } + ["--quiet"])
    #expect(run.status == 65, "\(run.errors)")
    #expect(run.errors.contains(Self.embedding) && run.errors.contains("[511, 0]"), "\(run.errors)")
    #expect(run.output.isEmpty || run.output == "Ada has", "no more than the prompt")
  }

  @Test func checkLooksAtEveryTensor() throws {
    let model = try TinyModel()
    let pruned = model.folder["pruned"]
    #expect(
      try ToolRun("prune", model.path, "--method", "magnitude", "-o", pruned, "-q").status == 0)
    #expect(try ToolRun("check", pruned).status == 0)
    let file = try SafetensorsFile(path: pruned + "/model.safetensors")
    var bytes = try model.folder.read("pruned/model.safetensors")
    let start = bytes.count - (file.tensors.map(\.range.upperBound).max() ?? 0)
    let norm = try #require(file["model.norm.weight"])
    // Value 3 becomes infinity: 0x7F80 in bfloat16.
    bytes.replaceSubrange(
      start + norm.range.lowerBound + 6..<start + norm.range.lowerBound + 8, with: [0x80, 0x7F])
    try model.folder.write(bytes, to: "pruned/model.safetensors")

    let run = try ToolRun("check", pruned)
    #expect(run.status == 1)
    #expect(
      run.lines.first == "'model.norm.weight' holds 1 NaN or infinite value, at [3]")
    #expect(run.lines.last?.hasPrefix("FAILED: 1 tensor with NaN or infinity: 28 weights") == true)
    #expect(try ToolRun("check", pruned, "--finite", "weights").status == 0)
    let annotations = try ToolRun("check", pruned, "--format", "github")
    #expect(annotations.output.contains("model.norm.weight holds NaN or infinity"))
    let json = try ToolRun("check", pruned, "--json").json()
    #expect(json["passed"] == false)
    #expect(
      json["models"]?.array?.first?["nonFinite"] == [
        ["name": "model.norm.weight", "dtype": "BF16", "shape": [128], "count": 1, "first": [3]]
      ])
  }
}

import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `sparsify sweep` on the trained fixture, as a user runs it.
@Suite(.timeLimit(.minutes(20))) struct SweepEndToEndTests {
  private let model: TinyModel
  private let text = [
    "--text", TinyModel.text("heldout.txt"), "--length", "32", "--windows", "3", "--samples", "4",
  ]

  init() throws { model = try TinyModel() }

  @Test func theObjectKeepsItsContractAndIsTheReport() throws {
    let path = model.folder["sweep.json"]
    let run = try ToolRun(
      ["sweep", model.path, "--methods", "wanda", "--report", path, "--json", "-q"] + text)
    #expect(run.status == 0 && run.errors.isEmpty)
    let object = try run.json()
    #expect(
      object.differences(from: [
        "schema": 1, "model": "string", "windows": 3, "length": 32, "tokens": 96,
        "calibration": [
          "source": "self", "samples": 4, "length": 32, "seed": 0, "seconds": "number",
        ],
        "seconds": "number", "peakResidentBytes": "integer",
        "rows": [
          [
            "name": "string", "method": "string?", "quantization": "string",
            "perplexity": "number", "nll": "number", "activations": "float32",
            "divergence": ["mean": "number", "standardError": "number"], "agreement": "number",
            "relativeError": "number?", "bytes": "integer", "compressionRatio": "number",
            "seconds": "number", "decodeTokensPerSecond": "number", "best": "bool",
            "output": "null",
          ]
        ],
      ]) == [])
    let rows = object["rows"]?.array ?? []
    #expect(
      rows.map { $0["name"]?.string } == ["dense", "dense-int8", "wanda", "wanda-int8"])
    let alone = try ToolRun(["eval", model.path, "--json"] + text.dropLast(2)).json()
    #expect(rows.first?["perplexity"] == alone["perplexity"])
    #expect(
      try JSON(parsing: String(decoding: model.folder.read("sweep.json"), as: UTF8.self)) == object)
    #expect(try model.made() == ["sweep.json"])
  }

  @Test func theTextIsATableWithALegend() throws {
    let run = try ToolRun(
      ["sweep", model.path, "--methods", "magnitude", "--quantize", "none", "--keep"]
        + ["--report", model.folder["sweep.html"]] + text.dropLast(2))
    #expect(run.status == 0)
    #expect(
      run.errors == "Note: takes up to \(run.diskSize) of disk at once, in \(model.path)-sweep\n")
    #expect(run.lines[0].hasPrefix("   model "))
    #expect(run.lines[1].hasPrefix("*  dense ") && run.lines[2].hasPrefix("*  magnitude "))
    #expect(run.output.contains("calibration  none\n"))
    #expect(run.lines.last == "output       1 model in \(model.path)-sweep")
    #expect(try model.made() == ["model-sweep", "sweep.html"])
    let page = try Markup(String(decoding: model.folder.read("sweep.html"), as: UTF8.self))
    #expect(page.text.contains("Of 2 rows these are beaten by none"))
    #expect(page.text.contains("--report"))
    #expect(try ToolRun("check", model.path + "-sweep/magnitude").status == 0)
  }

  @Test(arguments: [
    (["--methods", "wanda,foo"], "choose from 'magnitude', 'wanda', 'sparsegpt', 'admm'"),
    (["--methods", "wandda"], "Did you mean 'wanda'?"),
    (["--methods", ""], "choose from 'magnitude'"),
    (["--quantize", "int4"], "choose from 'none', 'int8'"),
    (["--methods", "magnitude", "--samples", "8"], "'--samples' has no effect"),
    (["--methods", "wanda", "--effort", "best"], "'--effort' has no effect"),
  ])
  func wrongUsageSaysWhatIsRight(words: [String], reason: String) throws {
    let run = try ToolRun(["sweep", model.path, "--text", "a.txt"] + words)
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.errors.contains(reason), "\(run.errors)")
  }

  @Test func whatCannotBeUsedIsRefusedAndNothingIsLeft() throws {
    let file = try ToolRun(["sweep", model.weights] + text)
    #expect(file.status == 65 && file.errors.contains("is a single file"))
    let short = try model.folder.write("Ada", to: "short.txt")
    #expect(try ToolRun("sweep", model.path, "--text", short).status == 65)
    #expect(try ToolRun("sweep", model.path).status == 64)
    try model.folder.write("mine", to: "out/wanda")
    let taken = try ToolRun(["sweep", model.path, "-o", model.folder["out"]] + text)
    #expect(taken.status == 64 && taken.errors.contains("out/wanda: exists already"))
    let report = try ToolRun(["sweep", model.path, "--report", model.weights] + text)
    #expect(report.status == 64 && report.errors.contains("is never overwritten"))
    try model.set("model.layers.1.mlp.gate_proj.weight", at: 4321, toBits: 0x7FC0)
    let broken = try ToolRun(
      ["sweep", model.path, "--methods", "magnitude", "-q"] + text.dropLast(2))
    #expect(broken.status == 65)
    #expect(
      broken.errors.hasPrefix(
        "Error: dense: \(model.path): tensor 'model.layers.1.mlp.gate_proj.weight' holds 1 NaN"),
      "\(broken.errors)")
    #expect(try model.made() == ["out", "short.txt"])
  }
}

extension ToolRun {
  /// The size in the note of a sweep.
  fileprivate var diskSize: String {
    let words = errors.split(separator: " ")
    return words.count > 6 ? words[4...5].joined(separator: " ") : ""
  }
}

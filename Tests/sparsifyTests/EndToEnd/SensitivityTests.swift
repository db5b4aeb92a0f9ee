import SparseCore
import TestSupport
import Testing

/// `sparsify sensitivity`, and `prune` with layers that stay dense.
@Suite(.timeLimit(.minutes(20))) struct SensitivityEndToEndTests {
  private static let words = [
    "--calibration", TinyModel.text("calibration.txt"), "--samples", "2", "--length", "24",
    "--quiet",
  ]

  private static func measure(_ model: TinyModel, _ words: [String] = []) throws -> ToolRun {
    try ToolRun(
      ["sensitivity", model.path, "--text", TinyModel.text("heldout.txt")]
        + ["--windows", "1", "--text-length", "16"] + Self.words + words)
  }

  @Test func theTableHasTheMostSensitiveFirst() throws {
    let run = try Self.measure(TinyModel(), ["--method", "wanda", "--top", "3"])
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("part"))
    #expect(lines[1].hasSuffix("████████████████████"))
    #expect(lines[4] == "… and 25 less sensitive (--top 28 shows all)")
    #expect(run.output.contains("by how much it rises from "))
  }

  @Test(arguments: [["--by", "block"], ["--by", "stage", "--fast"], ["--quantize-only"]])
  func theResultIsOneObject(words: [String]) throws {
    let method = words.contains("--quantize-only") ? [] : ["--method", "wanda"]
    let run = try Self.measure(TinyModel(), ["--json"] + method + words)
    #expect(run.status == 0, "\(run.errors)")
    let json = try run.json()
    #expect(json["schema"] == 1)
    let parts = json["parts"]?.array ?? []
    #expect(parts.count == (words.contains("block") ? 4 : words.contains("stage") ? 16 : 28))
    let isFast = words.contains("--fast")
    for part in parts {
      #expect((part["divergence"]?.double != nil) == !isFast)
      #expect((part["perplexity"]?.double != nil) == !isFast)
      #expect(part["relativeError"]?.double ?? 0 > 0)
    }
    #expect(json["quantization"]?.string == (method.isEmpty ? "int8" : nil))
  }

  @Test func theReportIsTheObjectOrAPage() throws {
    let model = try TinyModel()
    let words = ["--method", "magnitude", "--by", "block", "--json", "--report"]
    let run = try Self.measure(model, words + [model.folder["s.json"]])
    #expect(run.status == 0, "\(run.errors)")
    let kept = try JSON(parsing: String(decoding: model.folder.read("s.json"), as: UTF8.self))
    #expect(try run.json() == kept)
    #expect(try Self.measure(model, words + [model.folder["s.html"]]).status == 0)
    let page = try Markup(String(decoding: model.folder.read("s.html"), as: UTF8.self))
    #expect(page.text.contains("The most sensitive of 4 blocks is block "))
    let output = ["-o", model.folder["x.json"], "--report", model.folder["x.json"]]
    let both = try Self.measure(model, output)
    #expect(both.status == 64 && both.errors.contains("is where the output goes"))
  }

  @Test func aFileOfItChoosesTheLayersThatStayDense() throws {
    let model = try TinyModel()
    let file = model.folder["sensitivity.json"]
    let measured = try Self.measure(model, ["--method", "wanda", "-o", file])
    #expect(measured.status == 0, "\(measured.errors)")
    let parts = try JSON(
      parsing: String(decoding: model.folder.read("sensitivity.json"), as: UTF8.self))
    let divergences: [(name: String, value: Double)] = (parts["parts"]?.array ?? []).compactMap {
      guard let name = $0["name"]?.string, let value = $0["divergence"]?.double else { return nil }
      return (name, value)
    }
    let name = try #require(divergences.max { $0.value < $1.value }?.name)
    let run = try ToolRun(
      ["prune", model.path, "--method", "wanda", "--keep-dense", "1"]
        + ["--sensitivity", file, "-o", model.folder["out"], "--json"] + Self.words)
    #expect(run.status == 0, "\(run.errors)")
    let json = try run.json()
    #expect(json["layers"]?.array?.count == 27)
    let check = try ToolRun("check", model.folder["out"], "--json")
    #expect(check.status == 0)
    let tensors = try check.json()["models"]?.array?.first?["tensors"]?.array ?? []
    let dense = tensors.filter { $0["status"] == "dense" }.compactMap { $0["name"]?.string }
    #expect(dense.contains(name))
  }

  @Test func layersAreChosenOnTheWayAndRounded() throws {
    let model = try TinyModel()
    let words =
      ["prune", model.path, "--method", "wanda", "--keep-dense", "25%"]
      + ["--quantize", "int8", "-o", model.folder["out"]] + Self.words
    let run = try ToolRun(words + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    let layers = try run.json()["layers"]?.array ?? []
    #expect(layers.count == 28)
    let dense = layers.filter { $0["dense"] == true }
    func weights(_ layers: [JSON]) -> Int {
      layers.reduce(0) { sum, layer in
        sum + (layer["shape"]?.array ?? []).compactMap(\.int).reduce(1, *)
      }
    }
    #expect(!dense.isEmpty && 4 * weights(dense) <= weights(layers))
    let plan = try ToolRun(words + ["--dry-run", "--force"])
    #expect(plan.output.contains("\nprunes       \(28 - dense.count) of "), "\(plan.output)")
    #expect(plan.output.contains(", to INT8; \(dense.count) more to INT8 and no further\n"))
    #expect(plan.output.split(separator: "\n").count { $0.contains(" (dense) ") } == dense.count)
    #expect(try ToolRun("check", model.folder["out"]).status == 0)
  }

  @Test func aSpeedupLeavesAsMuchDenseAsItCan() throws {
    let model = try TinyModel()
    var counts: [Int] = []
    for factor in ["1.1", "1.5"] {
      let run = try ToolRun(
        ["prune", model.path, "--method", "wanda", "--target-speedup", factor]
          + ["-o", model.folder["out-\(factor)"], "--json"] + Self.words)
      #expect(run.status == 0, "\(run.errors)")
      counts.append(try run.json()["layers"]?.array?.count ?? 0)
    }
    #expect(counts[0] > 0 && counts[0] < counts[1] && counts[1] < 28)
  }

  @Test func aPerplexityIsKeptBelow() throws {
    let model = try TinyModel()
    let file = model.folder["sensitivity.json"]
    #expect(try Self.measure(model, ["--method", "magnitude", "-o", file]).status == 0)
    func prune(_ bound: String) throws -> ToolRun {
      try ToolRun(
        ["prune", model.path, "--method", "magnitude", "--target-perplexity", bound]
          + ["--text", TinyModel.text("heldout.txt"), "--windows", "1", "--sensitivity", file]
          + ["-o", model.folder["out"], "--force", "--json", "--quiet"])
    }
    let run = try prune("2")
    #expect(run.status == 0, "\(run.errors)")
    let json = try run.json()
    let (before, after) = (
      json["perplexity"]?["before"]?["perplexity"]?.double ?? 0,
      json["perplexity"]?["after"]?["perplexity"]?.double ?? 0
    )
    #expect(before > 1 && after > before && after <= 2)
    let (dense, sparse) = (json["keptDense"]?.array?.count, json["layers"]?.array?.count)
    #expect((dense ?? 0) > 0 && (sparse ?? 0) > 0 && (dense ?? 0) + (sparse ?? 0) == 28)
    let impossible = try prune("1.01")
    #expect(impossible.status == 65)
    #expect(impossible.errors.contains("at most 1.01 is asked for"))
  }

  @Test(arguments: [
    (["--keep-dense", "28"], "28 parts are to stay dense, there are 28"),
    (["--keep-dense", "above:0"], ": every weight would stay dense, and none be pruned"),
    (["--target-speedup", "3"], "3.0 are asked for"),
    (["--keep-dense", "2", "--sensitivity", "/nowhere.json"], "/nowhere.json: no such file"),
  ])
  func whatCannotBeIsRefused(words: [String], error: String) throws {
    let model = try TinyModel()
    let run = try ToolRun(
      ["prune", model.path, "--method", "wanda", "-o", model.folder["out"]] + words
        + Self.words)
    #expect(run.status == 65)
    #expect(run.errors.contains(error), "\(run.errors)")
    #expect(try model.made().isEmpty)
  }

  @Test(arguments: [
    ["--keep-dense", "0"], ["--keep-dense", "1.5"], ["--keep-dense", "above:x"],
    ["--keep-dense", "2", "--target-speedup", "1.2"], ["--target-perplexity", "3"],
    ["--sensitivity", "x.json"],
    ["--keep-dense", "2", "--tensors", "0/2", "--method", "magnitude", "-o", "part.safetensors"],
  ])
  func wrongUsageIsNamed(words: [String]) throws {
    let run = try ToolRun(["prune", TinyModel().path] + words)
    #expect(run.status == 64, "\(run.errors)")
  }
}

import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `--report` and what is measured for it, as a user runs them.
@Suite(.timeLimit(.minutes(20))) struct ReportEndToEndTests {
  private static let quick = ["--method", "wanda", "--samples", "2", "--length", "16"]

  private func text(_ model: TinyModel, _ name: String) throws -> String {
    String(decoding: try model.folder.read(name), as: UTF8.self)
  }

  @Test func pruneWritesAPage() throws {
    let model = try TinyModel()
    let words =
      ["prune", model.path, "--report", model.folder["it's a.html"], "--text"]
      + [TinyModel.text("heldout.txt"), "--windows", "1", "--force"] + Self.quick
    let run = try ToolRun(words)
    #expect(run.status == 0 && run.errors.isEmpty)
    let page = try text(model, "it's a.html")
    let markup = try Markup(page)
    for heading in [
      "model, 2:4 sparse by wanda", "Perplexity", "Where the error is", "Patterns", "Size",
      "Layers",
      "Settings", "How to get this again",
    ] {
      #expect(markup.text.contains(heading), "\(heading)")
    }
    for name in TinyModel.linears { #expect(markup.text.contains(name)) }
    #expect(markup.text.contains("'\(model.folder["it'\\''s a.html"])'"))
    #expect(try model.made() == ["it's a.html", "model-2of4"])
  }

  @Test(arguments: [["--method", "magnitude"], quick, quick + ["--quantize", "int8"]])
  func perplexityIsThatOfEvalBeforeAndAfter(method: [String]) throws {
    let model = try TinyModel()
    let measure = ["--text", TinyModel.text("heldout.txt"), "--windows", "1"]
    // A single file, which has no config.json where it goes.
    try model.folder.write("", to: "far/empty")
    let run = try ToolRun(
      ["prune", model.weights, "-o", model.folder["far/out.safetensors"], "--json"] + measure
        + method)
    #expect(run.status == 0, "\(run.errors)")
    let result = try #require(try run.json()["perplexity"])
    let folder = try ToolRun(
      ["prune", model.path, "--report", model.folder["report.json"]] + measure + method)
    #expect(folder.status == 0)
    #expect(try JSON(parsing: text(model, "report.json"))["perplexity"] == result)
    for (name, path) in [("before", model.path), ("after", model.path + "-2of4")] {
      let eval = try ToolRun(["eval", path, "--json"] + measure).json()
      #expect(result[name] == eval, "\(name)")
    }
    let before = try #require(result["before"]?["perplexity"]?.double)
    let after = try #require(result["after"]?["perplexity"]?.double)
    #expect(before < after)
    let line = try #require(folder.lines.first { $0.hasPrefix("perplexity") })
    #expect(line.contains(" before, ") && line.hasSuffix(" after"))
    #expect(folder.output.contains("heldout.txt, 1 window of 256 tokens\n"))
  }

  @Test func theNumbersKeepTheirContract() throws {
    let model = try TinyModel()
    let object = try ToolRun(["prune", model.path, "--json"] + Self.quick).json()
    #expect(
      object.differences(from: [
        "sizes": [
          "inputBytes": "integer", "outputBytes": "integer", "compressedBytes": "integer",
          "metadataBytes": 92160,
        ], "inputFingerprint": "string",
      ]) == [])
    #expect(object["perplexity"]?.isNull == true)
    // 737280 weights of 2 bytes: half of them go, and an eighth of a byte for each stays.
    let sizes = try #require(object["sizes"])
    let whole = try #require(sizes["outputBytes"]?.int)
    let compressed = try #require(sizes["compressedBytes"]?.int)
    #expect(whole - compressed == 737280 - 92160)
    for layer in try #require(object["layers"]?.array) {
      let patterns = try #require(layer["patterns"]?.array?.compactMap { $0.int })
      let shape = try #require(layer["shape"]?.array?.compactMap { $0.int })
      #expect(patterns.count == 6 && patterns.reduce(0, +) <= shape[0] * shape[1] / 4)
      #expect(patterns.allSatisfy { $0 > 0 })
    }
  }

  @Test(arguments: [
    (["--text", "/no/such.txt"], 65, "/no/such.txt: no such file or folder"),
    (["--windows", "3"], 64, "--windows"),
    (["--text", "SHORT"], 65, "one window needs 256"),
    (["--text", "SHORT", "--tensors", "0/2", "-o", "part.safetensors"], 64, "--text"),
  ])
  func whatCannotBeMeasuredCostsNoRun(words: [String], status: Int32, reason: String) throws {
    let model = try TinyModel()
    try model.folder.write("Too short.", to: "model/short.txt")
    let words = words.map { $0 == "SHORT" ? model.path + "/short.txt" : $0 }
    for mode in [["--dry-run"], []] where mode.isEmpty || !words.contains("--tensors") {
      let run = try ToolRun(["prune", model.path, "--method", "magnitude"] + words + mode)
      #expect(run.status == status && run.output.isEmpty)
      #expect(run.errors.contains(reason), "\(run.errors)")
      #expect(try model.made().isEmpty)
    }
  }

  @Test func aModelWithoutATokenizerIsRefusedBeforeTheRun() throws {
    let model = try TinyModel()
    try FileSystem.removeTree(model.path + "/tokenizer.json")
    let run = try ToolRun(
      "prune", model.path, "--method", "magnitude", "--text", TinyModel.text("heldout.txt"))
    #expect(run.status == 65 && run.errors.contains("tokenizer.json"))
    #expect(try model.made().isEmpty)
  }

  @Test func theTextAndWhatIsReadAreNotOverwritten() throws {
    let model = try TinyModel()
    let long = String(
      decoding: try FileSystem.contents(of: TinyModel.text("heldout.txt")).withUnsafeBytes {
        Array($0)
      }, as: UTF8.self)
    try model.folder.write(long, to: "text.html")
    let path = model.folder["text.html"]
    let same = try ToolRun(
      "prune", model.path, "--method", "magnitude", "--text", path, "--report", path)
    #expect(same.status == 64 && same.errors.contains("is a file that is read"))
    let output = try ToolRun(
      "prune", model.weights, "--method", "magnitude", "--text", path, "-o", path, "--force")
    #expect(output.status != 0 && output.output.isEmpty)
    #expect(try text(model, "text.html") == long)
    #expect(try model.made() == ["text.html"])
  }

  @Test func planWritesAPageOrItsNumbers() throws {
    let model = try TinyModel()
    let words = ["plan", model.path, "--gpu", "h100-sxm", "--batch", "1,16", "--report"]
    #expect(try ToolRun(words + [model.folder["plan.html"]]).status == 0)
    let page = try text(model, "plan.html")
    let markup = try Markup(page)
    for part in [
      "model on h100-sxm: does 2:4 pay?", "Speed", "Memory", "To know first", "sparsify ",
    ] {
      #expect(markup.text.contains(part), "\(part)")
    }
    #expect(markup.elements.count { $0 == "svg" } == 3)
    #expect(try ToolRun(words + [model.folder["plan.html"]]).status == 0)
    #expect(try text(model, "plan.html") == page)
    let json = try ToolRun(words + [model.folder["plan.json"], "--json"])
    #expect(try text(model, "plan.json") == json.output)
    let over = try ToolRun(words + [model.path + "/config.json"])
    #expect(over.status == 64 && over.errors.contains("is a file that is read"))
  }
}

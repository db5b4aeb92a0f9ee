import Foundation
import SparseCore
import SparseModel
import TestSupport
import Testing

@testable import sparsify

/// `sparsify prune` on the trained fixture, as a user runs it.
@Suite(.timeLimit(.minutes(20))) struct PruneEndToEndTests {
  private static let quick = ["--samples", "2", "--length", "16"]

  private static let contract: JSON = [
    "schema": 1, "method": "string", "output": "string", "seconds": "number",
    "peakResidentBytes": "integer",
    "layers": [
      [
        "name": "string", "shape": "shape", "seconds": "number", "relativeError": "number?",
        "sparsity": "number", "dampening": "number?", "fallback": "string?",
      ]
    ],
  ]

  private static let calibrationContract: JSON = [
    "source": "string", "samples": "integer", "length": "integer", "seed": "integer",
    "fingerprint": "string", "errorTokens": "integer",
  ]

  @Test func magnitudeMakesACompleteFolderThatChecks() throws {
    let model = try TinyModel()
    let run = try ToolRun("prune", model.path, "--method", "magnitude")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(
      run.lines.first == "pruned       28 weights by magnitude, 50.0 % of 737280 values are zero")
    #expect(run.lines.last == "output       \(model.path)-2of4")
    #expect(try model.made() == ["model-2of4"])
    for name in [
      "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    ] {
      #expect(try model.folder.read("model-2of4/\(name)") == model.folder.read("model/\(name)"))
    }
    let check = try ToolRun("check", model.path + "-2of4")
    #expect(check.status == 0)
    #expect(check.output == "passed: 28 weights are 2:4, 0 violate it, 1 is dense on purpose\n")
  }

  @Test func wandaShowsAnErrorForEachStageOfEachBlock() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      [
        "prune", model.path, "--method", "wanda", "-o", model.folder["out"], "--calibration",
        TinyModel.text("calibration.txt"),
      ] + Self.quick)
    #expect(run.status == 0)
    #expect(run.lines.starts(with: ["Relative output error"]))
    #expect(run.lines[1].split(separator: " ") == ["block", "qkv", "o", "gate-up", "down"])
    for block in 0..<4 {
      let cells = run.lines[2 + block].split(separator: " ").compactMap { Double($0) }
      #expect(cells.count == 5 && cells[0] == Double(block))
      #expect(cells.dropFirst().allSatisfy { 0.01 < $0 && $0 < 0.9 })
    }
    #expect(run.output.contains("calibration.txt, 2 × 16 tokens; errors measured on 32\n"))
    #expect(try model.made() == ["out"])
  }

  @Test(arguments: ["magnitude", "wanda"]) func theObjectKeepsItsContract(method: String) throws {
    let model = try TinyModel()
    let report = model.folder["report.json"]
    let run = try ToolRun(
      ["prune", model.path, "--method", method, "--json", "--report", report, "-o"]
        + [model.folder["out"]] + (method == "wanda" ? Self.quick : []))
    #expect(run.status == 0)
    let object = try run.json()
    #expect(object.differences(from: Self.contract) == [])
    #expect(object["method"]?.string == method)
    #expect(object["output"]?.string == model.folder["out"])
    #expect(
      Set(object["layers"]?.array?.compactMap { $0["name"]?.string } ?? [])
        == Set(TinyModel.linears))
    if method == "wanda" {
      #expect(object["calibration"]?.differences(from: Self.calibrationContract) == [])
      #expect(object["calibration"]?["source"]?.string == "self")
      #expect(object["calibration"]?["samples"]?.int == 2)
      #expect(object["calibration"]?["length"]?.int == 16)
    } else {
      #expect(object["calibration"]?.isNull == true)
      #expect(object["layers"]?.array?.first?["relativeError"]?.isNull == true)
    }
    #expect(String(decoding: try model.folder.read("report.json"), as: UTF8.self) == run.output)
    #expect(try model.made() == ["out", "report.json"])
  }

  @Test func textAndTheSameTokensGiveTheSameBytes() throws {
    let model = try TinyModel()
    let text = TinyModel.text("calibration.txt")
    let tokenizer = try Tokenizer(contentsOf: model.path + "/tokenizer.json")
    let ids = tokenizer.encode([UInt8](try Data(contentsOf: URL(filePath: text))))
    let tokens = try model.writeTokens(Array(ids.prefix(32)), samples: 2)
    for (name, words) in [("text", [text] + Self.quick), ("tokens", [tokens])] {
      let run = try ToolRun(
        ["prune", model.weights, "-o", model.folder["from-\(name).safetensors"], "--threads"]
          + [name == "text" ? "1" : "3", "--calibration"] + words)
      #expect(run.status == 0, "\(run.errors)")
    }
    let outputs = try ["text", "tokens"].map {
      try SafetensorsFile(path: model.folder["from-\($0).safetensors"])
    }
    for name in TinyModel.linears {
      let bytes = outputs.map { file in
        file[name].map { tensor in file.bytes(of: tensor).withUnsafeBytes { Array($0) } }
      }
      #expect(bytes[0] != nil && bytes[0] == bytes[1], "\(name)")
    }
  }

  @Test func theModelsOwnTextIsTheSameEachTime() throws {
    let model = try TinyModel()
    var bytes: [[UInt8]] = []
    for (name, threads) in [("a", "1"), ("b", "2")] {
      let output = model.folder[name + ".safetensors"]
      let run = try ToolRun(
        ["prune", model.weights, "-o", output, "--threads", threads] + Self.quick)
      #expect(run.status == 0)
      bytes.append(try model.folder.read(name + ".safetensors"))
    }
    #expect(bytes[0] == bytes[1])
  }

  @Test func aFileGivesAFileOfTheUsualName() throws {
    let model = try TinyModel()
    let run = try ToolRun("prune", model.weights, "--method", "magnitude")
    #expect(run.status == 0)
    #expect(run.lines.last == "output       \(model.path)/model-2of4.safetensors")
    #expect(try model.made().isEmpty)
    #expect(try ToolRun("check", model.path + "/model-2of4.safetensors").status == 0)
  }

  @Test func globsNarrowDownWhatIsPrunedAndChecked() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      "prune", model.path, "--method", "magnitude", "--only", "*.mlp.*", "--skip",
      "model.layers.[01].*", "--only", "*.o_proj.weight", "--json")
    #expect(run.status == 0)
    let names = try run.json()["layers"]?.array?.compactMap { $0["name"]?.string } ?? []
    #expect(
      Set(names)
        == Set(
          TinyModel.linears.filter { name in
            (name.contains(".mlp.") || name.hasSuffix("o_proj.weight"))
              && (name.contains("layers.2") || name.contains("layers.3"))
          }))
    let check = try ToolRun("check", model.path + "-2of4")
    #expect(check.status == 0)
    #expect(check.output == "passed: 8 weights are 2:4, 0 violate it, 21 are dense on purpose\n")
    #expect(try ToolRun("check", model.path + "-2of4", "--only", "*.q_proj.*").status == 1)
    #expect(try ToolRun("check", model.path + "-2of4", "--only", "*.3.mlp.*").status == 0)
  }

  @Test func aDryRunSaysWhatItWouldDoAndWritesNothing() throws {
    let model = try TinyModel()
    let text = try ToolRun("prune", model.path, "--dry-run", "--report", model.folder["r.json"])
    #expect(text.status == 0)
    #expect(text.output.contains("\ncalibration  self, 128 × 256 tokens\n"))
    #expect(text.output.contains("\noutput       \(model.path)-2of4, 1.5 MiB\n"))
    #expect(text.lines.last == "Nothing has been written.")
    let object = try ToolRun("prune", model.path, "--dry-run", "--json").json()
    #expect(
      object.differences(from: [
        "schema": 1, "method": "admm", "dryRun": true, "output": "string",
        "outputBytes": "integer", "calibration": "self",
        "memory": [
          "budgetBytes": "integer", "peakBytes": "integer", "scratchBytes": "integer",
          "journalBytes": "integer",
        ],
        "estimatedSeconds": "number",
        "steps": [["name": "string", "bytes": "integer", "estimatedSeconds": "number"]],
        "layers": [["name": "string", "shape": "shape", "bytes": "integer", "dense": "bool"]],
      ]) == [])
    #expect(object["layers"]?.array?.count == 28)
    #expect(try model.made().isEmpty)
    // The size that it promises is that of the output, with INT8 weights too.
    let small = ["prune", model.path, "--method", "magnitude", "--quantize", "int8"]
    let promised = try ToolRun(small + ["--dry-run", "--json"]).json()["outputBytes"]?.int
    let run = try ToolRun(small)
    #expect(run.output.contains("50.0 % of 737280 values are zero, INT8\n"))
    let tensors = try SafetensorsFile(path: model.path + "-2of4/model.safetensors").tensors
    #expect(promised == tensors.reduce(0) { $0 + $1.byteCount })
  }

  @Test func aBudgetThatIsTooSmallIsRefusedWithTheLeastThatWorks() throws {
    let model = try TinyModel()
    let words = ["prune", model.path, "--method", "sparsegpt", "--samples", "2", "--length", "8"]
    for mode in [["--dry-run"], []] {
      let run = try ToolRun(words + ["--memory", "1M"] + mode)
      #expect(run.status == 64 && run.output.isEmpty)
      #expect(
        run.errors.hasPrefix("Error: 1M of memory are too little: the least that would do is "))
      #expect(try model.made().isEmpty)
    }
    let errors = try ToolRun(words + ["--memory", "1M"]).errors
    let least = try #require(
      errors.split(separator: " ").first { $0.hasSuffix("M,") }.map { String($0.dropLast()) })
    #expect(try ToolRun(words + ["--memory", least]).status == 0)
  }

  @Test(arguments: [
    (["--length", "257"], "257 tokens were asked for, the model's context holds 256"),
    (["--calibration", "/no/such/text.txt"], "/no/such/text.txt: no such file or folder"),
    (["--only", "*x*"], "the glob '*x*' matches no tensor of the 28 to choose from"),
    (["-o", "/no/such/folder/out"], "/no/such/folder: no such folder to write to"),
  ])
  func aDryRunFailsWhereTheRunWould(words: [String], error: String) throws {
    let model = try TinyModel()
    for mode in [["--dry-run"], []] {
      let run = try ToolRun(["prune", model.path] + words + mode)
      #expect(run.status != 0)
      #expect(run.output.isEmpty)
      #expect(run.errors.hasPrefix("Error: \(error)"))
      #expect(try model.made().isEmpty)
    }
  }

  @Test func linksAsAModelHubsCacheMakesThemBecomePlainFiles() throws {
    let model = try TinyModel()
    let files = FileManager.default
    let snapshot = model.folder["hub/snapshots/1f2e"]
    try files.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
    try files.moveItem(atPath: model.path, toPath: model.folder["hub/blobs"])
    for name in try files.contentsOfDirectory(atPath: model.folder["hub/blobs"]) {
      try files.createSymbolicLink(
        atPath: snapshot + "/" + name, withDestinationPath: "../../blobs/" + name)
    }
    try files.createSymbolicLink(
      atPath: model.folder["link"], withDestinationPath: "hub/snapshots/1f2e")
    let run = try ToolRun("prune", model.folder["link"], "--method", "magnitude")
    #expect(run.status == 0)
    #expect(try model.made() == ["hub", "link", "link-2of4"])
    for name in try files.contentsOfDirectory(atPath: model.folder["link-2of4"]) {
      let kind = try files.attributesOfItem(atPath: model.folder["link-2of4/" + name])[.type]
      #expect(kind as? FileAttributeType == .typeRegular, "\(name)")
    }
    #expect(try ToolRun("check", model.folder["link-2of4"]).status == 0)
  }

  @Test func spacesAndTrailingSlashesArePartOfPathsLikeAnyOther() throws {
    let model = try TinyModel()
    try FileManager.default.moveItem(atPath: model.path, toPath: model.folder["my model"])
    let usual = try ToolRun("prune", model.folder["my model/"], "--method", "magnitude")
    #expect(usual.lines.last == "output       \(model.folder["my model-2of4"])")
    let named = try ToolRun(
      "prune", model.folder["my model"], "--method", "magnitude", "-o", model.folder["an output//"])
    #expect(named.lines.last == "output       \(model.folder["an output"])")
    #expect(try model.made() == ["an output", "my model", "my model-2of4"])
  }

  @Test func whatAnotherRunLeftUnfinishedIsNotCopied() throws {
    let model = try TinyModel()
    try model.folder.write("half", to: "model/model-2of4.safetensors.tmp-4711")
    try model.folder.write("notes", to: "model/notes.tmp-old")
    let run = try ToolRun(
      "prune", model.path, "--method", "magnitude", "--report", model.path + "/report.json")
    #expect(run.status == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: model.path + "-2of4")
    #expect(
      names.sorted() == [
        "config.json", "generation_config.json", "model.safetensors", "notes.tmp-old",
        "tokenizer.json", "tokenizer_config.json",
      ])
    #expect(try JSON(parsing: text(of: model, "model/report.json"))["schema"]?.int == 1)
  }

  private func text(of model: TinyModel, _ name: String) throws -> String {
    String(decoding: try model.folder.read(name), as: UTF8.self)
  }
}

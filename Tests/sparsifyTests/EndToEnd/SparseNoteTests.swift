import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// What is said of a model that is 2:4 already, before it is pruned again.
@Suite struct SparseNoteTests {
  private let model: TinyModel
  private let tokens: String
  /// As many windows as a step of training takes, and one to measure on.
  private let many: String

  private var sparse: String { model.path + "-2of4" }

  init() throws {
    model = try TinyModel()
    tokens = try model.writeTokens((0..<48).map { Int32(7 * $0 % 512) }, samples: 6)
    many = try model.writeTokens(
      (0..<72).map { Int32(5 * $0 % 512) }, samples: 9, named: "many.safetensors")
    #expect(try ToolRun("prune", model.path, "--method", "magnitude").status == 0)
  }

  private func note(on path: String) -> String {
    "Note: all 28 weights of \(path) are 2:4 already: "
  }

  /// Writes the weights once more without their manifest, one of them changed.
  private func copy(to name: String, changing changed: String? = nil) throws -> String {
    let file = try SafetensorsFile(path: sparse + "/model.safetensors")
    for other in ["config.json", "tokenizer.json"] {
      try model.folder.write(model.folder.read("model/" + other), to: name + "/" + other)
    }
    let path = model.folder[name]
    let writer = try SafetensorsWriter(
      path: path + "/model.safetensors", tensors: file.tensors.map(\.spec),
      metadata: SafetensorsMetadata())
    for tensor in file.tensors {
      var bytes = file.bytes(of: tensor).withUnsafeBytes { [UInt8]($0) }
      // Four weights of 1 in bfloat16.
      if tensor.name == changed {
        bytes.replaceSubrange(0..<8, with: [0x80, 0x3F, 0x80, 0x3F, 0x80, 0x3F, 0x80, 0x3F])
      }
      try writer.write(ByteView(copying: bytes), as: tensor.name)
    }
    try writer.commit()
    return path
  }

  @Test func pruningAgainIsForNothingAndSaidFirst() throws {
    for words in [["--method", "magnitude"], ["--method", "admm", "--calibration", tokens]] {
      let out = model.folder["again"]
      let run = try ToolRun(["prune", sparse, "-o", out, "--quiet", "--force"] + words)
      #expect(run.status == 0)
      #expect(run.errors.hasPrefix(note(on: sparse)), "\(run.errors)")
      for word in ["--refit --dense", "finetune", "quantize"] { #expect(run.errors.contains(word)) }
      let files = try [sparse, out].map { try SafetensorsFile(path: $0 + "/model.safetensors") }
      for name in TinyModel.linears {
        // Where a bfloat16 is 0; ADMM may round a kept weight the other way.
        let masks = try files.map { file in
          try file.bytes(of: #require(file[name])).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 2).map { bytes[$0] == 0 && bytes[$0 + 1] == 0 }
          }
        }
        let isSame = masks[0] == masks[1]
        #expect(isSame && masks[0].contains(true), "\(name)")
      }
    }
  }

  @Test func theWeightsThemselvesSayItToo() throws {
    let bare = try copy(to: "bare")
    let run = try ToolRun("prune", bare, "--method", "magnitude", "--dry-run")
    #expect(run.status == 0 && run.errors.hasPrefix(note(on: bare)))
    // One dense group in the last weight makes it a model that is not 2:4.
    let last = "model.layers.3.self_attn.v_proj.weight"
    let dense = try copy(to: "almost", changing: last)
    #expect(try ToolRun("prune", dense, "--method", "magnitude", "--dry-run").errors.isEmpty)
    let only = try ToolRun(
      "prune", dense, "--method", "magnitude", "--skip", last, "--dry-run")
    #expect(only.errors.hasPrefix("Note: all 27 weights of \(dense) are 2:4 already: "))
  }

  @Test func trainingAndMeasuringSayItAndRefittingDoesNot() throws {
    let data = ["--data", many, "--calibration", tokens, "--dry-run"]
    let trained = try ToolRun(["prune", sparse, "--finetune"] + data)
    #expect(trained.errors.hasPrefix(note(on: sparse)))
    let rounded = try ToolRun(
      "prune", sparse, "--method", "magnitude", "--quantize", "int8", "--dry-run")
    #expect(rounded.errors.contains("finds the masks that are there and only rounds"))
    let sensitivity = try ToolRun(
      "sensitivity", sparse, "--calibration", tokens, "--samples", "6", "--text", tokens,
      "--windows",
      "2", "--text-length", "8", "--dry-run")
    #expect(sensitivity.errors.hasPrefix(note(on: sparse)))
    let sweep = try ToolRun(
      "sweep", sparse, "--tokens", tokens, "--methods", "magnitude", "--dry-run")
    #expect(sweep.errors.hasPrefix(note(on: sparse)))
    let refit = try ToolRun(
      "prune", sparse, "--refit", "--dense", model.path, "--calibration", tokens, "--dry-run")
    #expect(refit.status == 0 && refit.errors.isEmpty, "\(refit.errors)")
    #expect(try ToolRun("prune", model.path, "--force", "--dry-run").errors.isEmpty)
  }

  @Test(arguments: ["r.pdf", "r", "r.html.txt", "json"])
  func aReportOfAnotherKindIsWrongUsage(name: String) throws {
    for command in [
      ["prune", model.path, "-o", model.folder["out"]], ["sensitivity", model.path],
      ["plan", model.path, "--gpu", "l4"],
      ["sweep", model.path, "--tokens", tokens],
    ] {
      let run = try ToolRun(command + ["--report", model.folder[name]])
      #expect(run.status == 64 && run.output.isEmpty)
      #expect(
        run.errors.contains("must end in .html for a page or in .json for the numbers"),
        "\(run.errors)")
    }
  }

  @Test(arguments: [("r.htm", "<!DOCTYPE html>"), ("R.HTML", "<!DOCTYPE html>"), ("r.JSON", "{")])
  func theEndingSaysTheKind(name: String, start: String) throws {
    let run = try ToolRun("plan", model.path, "--gpu", "l4", "--report", model.folder[name])
    #expect(run.status == 0, "\(run.errors)")
    let text = String(decoding: try model.folder.read(name), as: UTF8.self)
    #expect(text.lowercased().hasPrefix(start.lowercased()))
  }
}

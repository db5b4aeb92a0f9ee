import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `--dry-run` of the commands that take long, as a user runs it.
@Suite struct DryRunEndToEndTests {
  private let model: TinyModel
  /// Six windows of eight tokens.
  private let tokens: String

  init() throws {
    model = try TinyModel()
    tokens = try model.writeTokens((0..<48).map { Int32(7 * $0 % 512) }, samples: 6)
  }

  private static let contract: JSON = [
    "schema": 1, "dryRun": true,
    "memory": ["budgetBytes": "integer", "peakBytes": "integer", "scratchBytes": "integer"],
    "estimatedSeconds": "number",
    "steps": [["name": "string", "bytes": "integer", "estimatedSeconds": "number"]],
  ]

  /// Runs it both ways, holds it to the contract, and sees that nothing is made.
  private func dryRun(_ words: [String]) throws -> (text: ToolRun, json: JSON) {
    let before = try model.made()
    let text = try ToolRun(words + ["--dry-run"])
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.lines.last == "Nothing has been written.")
    #expect(text.output.contains("\ntime         about "))
    let run = try ToolRun(words + ["--dry-run", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let json = try run.json()
    #expect(json.differences(from: Self.contract) == [])
    let steps = json["steps"]?.array ?? []
    let sum = steps.reduce(0) { $0 + ($1["estimatedSeconds"]?.double ?? .nan) }
    #expect(abs(sum / (json["estimatedSeconds"]?.double ?? 0) - 1) < 1e-9)
    #expect(steps.map { $0["bytes"]?.int ?? 0 }.max() == json["memory"]?["peakBytes"]?.int)
    #expect(try model.made() == before)
    return (text, json)
  }

  private func names(_ json: JSON) -> [String] {
    (json["steps"]?.array ?? []).compactMap { $0["name"]?.string }
  }

  @Test func aTrainingSaysWhatItTakes() throws {
    let sparse = model.path + "-2of4"
    #expect(try ToolRun("prune", model.path, "--method", "magnitude").status == 0)
    let words = ["finetune", sparse, "--dense", model.path, "--batch", "2"]
    let (text, json) = try dryRun(words + ["--data", tokens])
    #expect(text.output.contains("\ndata         \(tokens), 6 × 8 tokens\n"))
    #expect(text.output.contains("\noutput       \(sparse)-trained, 1.5 MiB\n"))
    #expect(names(json) == ["train", "write the trained model"])
    #expect(json["windows"] == 6 && json["length"] == 8 && json["objective"] == "distill")
    #expect(json["outputBytes"]?.int == 2 * 803_968)
    // What the dense model says of 48 tokens, 128 wide, in float32.
    #expect(json["memory"]?["scratchBytes"]?.int == 4 * 48 * 128)
    let written = try dryRun(words).json
    #expect(names(written) == ["write training text", "train", "write the trained model"])
    let blocks = try dryRun(
      ["finetune", sparse, "--dense", model.path, "--scope", "blocks", "--data", tokens]
    ).json
    #expect(names(blocks) == ["train the blocks", "write the trained model"])
    let small = try ToolRun(
      "finetune", sparse, "--dense", model.path, "--scope", "blocks", "--data", tokens,
      "--memory", "1M", "--dry-run")
    #expect(small.status == 64 && small.errors.contains("are too little"))
  }

  @Test func aPruningWithTrainingSaysWhatBothTake() throws {
    // A step of training takes eight windows, and one is measured on.
    let many = try model.writeTokens(
      (0..<72).map { Int32(5 * $0 % 512) }, samples: 9, named: "many.safetensors")
    let words = ["prune", model.path, "--data", many]
    let (text, json) = try dryRun(words + ["--finetune", "--calibration", tokens])
    #expect(text.output.contains("\nprunes       28 of 38 tensors"))
    #expect(text.output.contains("\noutput       \(model.path)-2of4, 1.5 MiB\n"))
    #expect(
      names(json) == [
        "embed", "prune qkv", "prune o", "prune gate-up", "prune down", "copy the rest", "train",
        "write the trained model",
      ])
    let int8 = try dryRun(
      words + ["--method", "asp", "--quantize", "int8", "--calibration", tokens]
    ).json
    #expect(names(int8).contains("train") && names(int8).contains("INT8: prune down"))
    // Codes of one byte, and a float32 or a 16-bit scale for each of the 28 linears' outputs.
    let bytes = try #require(int8["outputBytes"]?.int)
    #expect(bytes > 737_280 + 2 * 66_688 && bytes < 737_280 + 2 * 66_688 + 8 * 6_016)
    let rounded = try dryRun(
      ["prune", model.path, "--reconstruct", "1", "--quantize", "int8", "--calibration", tokens]
    ).json
    #expect(names(rounded).contains("train a block"))
    #expect(names(rounded).contains("INT8: prune down"))
  }

  @Test func aMeasurementSaysWhatItTakes() throws {
    let words = ["sensitivity", model.path, "--method", "wanda"]
    let given =
      words + ["--calibration", tokens, "--text", tokens, "--windows", "2", "--text-length", "8"]
    let (text, json) = try dryRun(given)
    #expect(text.output.contains("\nmeasures     28 parts, each by itself\n"))
    #expect(names(json) == ["run the dense model", "measure 28 parts"])
    #expect(names(try dryRun(given + ["--by", "block", "--fast"]).json) == ["measure 4 parts"])
    #expect(try dryRun(given + ["--by", "stage"]).json["parts"] == 16)
    #expect(
      names(try dryRun(words).json) == [
        "write calibration text", "write the held-out text", "run the dense model",
        "measure 28 parts",
      ])
  }

  @Test func aSweepSaysWhatEachRowTakes() throws {
    let words = [
      "sweep", model.path, "--tokens", tokens, "--methods", "magnitude,admm",
    ]
    let (text, json) = try dryRun(words + ["--calibration", tokens])
    let rows = ["dense-int8", "magnitude", "magnitude-int8", "admm", "admm-int8"]
    #expect(names(json) == ["run the dense model"] + rows)
    #expect(text.output.contains("\nrows         dense, \(rows.joined(separator: ", "))\n"))
    #expect(json["output"]?.string == model.path + "-sweep")
    let (written, own) = try dryRun(words)
    #expect(names(own).first == "write calibration text")
    #expect(
      written.output.contains("of it writes the calibration text; --calibration FILE saves that\n"))
  }

  @Test func theShareOfTheCalibrationTextIsSaid() throws {
    let words = ["prune", model.path, "--method", "wanda", "--samples", "4", "--length", "16"]
    let plan = try ToolRun(words + ["--dry-run"])
    #expect(
      plan.output.contains("of it writes the calibration text; --calibration FILE saves that\n"))
    let run = try ToolRun(words)
    #expect(run.status == 0)
    #expect(
      run.output.contains("to write the calibration text, which --calibration FILE saves\n"),
      "\(run.output)")
    let json = try ToolRun(words + ["--json", "--force"]).json()
    let (writing, all) = (json["calibrationSeconds"]?.double ?? 0, json["seconds"]?.double ?? 0)
    #expect(writing > 0 && writing < all)
    let given = try ToolRun(
      ["prune", model.path, "--method", "wanda", "--calibration", tokens, "--force"])
    #expect(given.status == 0 && !given.output.contains("calibration text"))
  }
}

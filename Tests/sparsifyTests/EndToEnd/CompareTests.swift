import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// `sparsify compare` on the trained fixture, as a user runs it.
@Suite(.timeLimit(.minutes(20))) struct CompareEndToEndTests {
  private let model: TinyModel
  private let text = [
    "--text", TinyModel.text("heldout.txt"), "--length", "32", "--windows", "3",
  ]

  init() throws {
    model = try TinyModel()
    _ = try ToolRun("prune", model.path, "--method", "magnitude")
  }

  private var pruned: String { model.path + "-2of4" }

  @Test func theObjectKeepsItsContractAndAgreesWithEval() throws {
    let run = try ToolRun(["compare", model.path, pruned, "--json"] + text)
    #expect(run.status == 0 && run.errors.isEmpty)
    let object = try run.json()
    let side: JSON = [
      "path": "string", "perplexity": "number", "nll": "number", "activations": "float32",
      "bytes": "integer", "parameters": 803968, "linears": 28, "sparseLinears": "integer",
      "compressedLinears": 0, "zeroShare": "number", "types": ["BF16"],
      "prefillTokensPerSecond": "number", "decodeTokensPerSecond": "number",
    ]
    #expect(
      object.differences(from: [
        "schema": 1, "windows": 3, "length": 32, "tokens": 96, "reference": side, "other": side,
        "divergence": [
          "mean": "number", "standardError": "number", "median": "number",
          "percentile99": "number", "percentile999": "number", "maximum": "number",
        ],
        "agreement": "number", "perplexityRatio": "number", "verdict": "far",
      ]) == [])
    for (key, path) in [("reference", model.path), ("other", pruned)] {
      let alone = try ToolRun(["eval", path, "--json"] + text).json()
      #expect(object[key]?["perplexity"] == alone["perplexity"])
      #expect(object[key]?["nll"] == alone["nll"])
      #expect(object[key]?["path"]?.string == path)
    }
  }

  @Test func theTextPutsTheModelsSideBySide() throws {
    let run = try ToolRun(["compare", model.path, pruned] + text)
    #expect(run.status == 0)
    #expect(
      run.lines.map { $0.split(separator: " ").first ?? "" } == [
        "reference", "model", "perplexity", "size", "parameters", "weights", "zeros", "2:4",
        "prefill", "decode", "divergence", "median", "agreement", "protocol", "verdict",
      ])
    // The columns are as wide as the speeds that are measured.
    let counts = run.lines.first { $0.hasPrefix("2:4") }?.split(separator: " ")
    #expect(counts?.joined(separator: " ") == "2:4 0 of 28 28 of 28")
    #expect(run.lines.last?.contains("far from the reference, at the same size") == true)
  }

  @Test func aModelIsItself() throws {
    let object = try ToolRun(["compare", model.path, model.path, "--json"] + text).json()
    #expect(object["divergence"]?["maximum"]?.double == 0 && object["agreement"]?.double == 1)
    #expect(object["verdict"]?.string == "same")
  }

  @Test func modelsTooDifferentAreRefused() throws {
    let other = try TinyModel()
    try other.configure("vocab_size", 500)
    let vocabulary = try ToolRun(["compare", model.path, other.path] + text)
    #expect(vocabulary.status == 65 && vocabulary.output.isEmpty)
    #expect(
      vocabulary.errors
        == "Error: \(model.path) has a vocabulary of 512 tokens and \(other.path) one of 500:"
        + " predictions cannot be compared\n")
    try other.configure("vocab_size", 512)
    try other.folder.write("{}", to: "model/tokenizer.json")
    let tokenizer = try ToolRun(["compare", model.path, other.path] + text)
    #expect(tokenizer.status == 65)
    #expect(
      tokenizer.errors.hasPrefix(
        "Error: \(model.path)/tokenizer.json and \(other.path)/tokenizer.json are different"))
    #expect(tokenizer.errors.hasSuffix("; --tokens FILE.safetensors takes token ids instead\n"))
    let tokens = try model.writeTokens((0..<40).map { $0 * 7 }, samples: 2)
    #expect(try ToolRun("compare", model.path, other.path, "--tokens", tokens).status == 0)
  }

  @Test func aTextThatIsTooShortIsRefused() throws {
    let short = try model.folder.write("Ada", to: "short.txt")
    let run = try ToolRun("compare", model.path, pruned, "--text", short)
    #expect(run.status == 65)
    #expect(run.errors.contains("short.txt: the text holds"))
    let empty = try model.folder.write("", to: "empty.txt")
    #expect(try ToolRun("compare", model.path, pruned, "--text", empty).status == 65)
  }

  @Test func wrongUsageSaysWhatIsRight() throws {
    let missing = try ToolRun("compare", model.path, "--text", "a.txt")
    #expect(missing.status == 64)
    #expect(missing.errors.contains("Missing expected argument '<model>'"))
    #expect(try ToolRun("compare", model.path, pruned).status == 64)
    #expect(try ToolRun(["compare", model.path, pruned + "x"] + text).status == 65)
    let long = try ToolRun("compare", model.path, pruned, "--text", "a.txt", "--length", "100000")
    #expect(long.status == 65 && long.errors.contains("the model's context holds 256"))
  }
}

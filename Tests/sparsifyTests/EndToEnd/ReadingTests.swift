import Foundation
import SparseCore
import TestSupport
import Testing

@testable import sparsify

/// The commands that only read, on the trained fixture.
@Suite(.timeLimit(.minutes(20))) struct InspectEndToEndTests {
  @Test func everyTensorHasARow() throws {
    let model = try TinyModel()
    let run = try ToolRun("inspect", model.path)
    #expect(run.status == 0)
    #expect(run.lines.count == 1 + 38 + 3)
    #expect(run.lines[0].hasPrefix("tensor "))
    #expect(run.output.contains("\n38 tensors, 803968 values\n"))
  }

  @Test func theObjectKeepsItsContract() throws {
    let model = try TinyModel()
    let object = try ToolRun("inspect", model.path, "--json", "--skip", "*norm*").json()
    #expect(
      object.differences(from: [
        "schema": 1,
        "tensors": [
          [
            "name": "string", "shape": "shape", "dtype": "BF16", "elements": "integer",
            "zeros": "integer", "groupsWithMoreThanTwo": "integer", "patterns": ["integer"],
          ]
        ],
      ]) == [])
    let tensors = object["tensors"]?.array ?? []
    #expect(tensors.count == 29)
    #expect(tensors.allSatisfy { $0["patterns"]?.array?.count == 6 })
  }
}

@Suite(.timeLimit(.minutes(20))) struct EvalEndToEndTests {
  private static let contract: JSON = [
    "schema": 1, "perplexity": "number", "nll": "number", "tokens": "integer",
    "windows": "integer", "length": "integer",
  ]

  @Test func theObjectKeepsItsContract() throws {
    let model = try TinyModel()
    let object = try ToolRun(
      "eval", model.path, "--text", TinyModel.text("heldout.txt"), "--length", "32", "--windows",
      "3", "--json"
    ).json()
    #expect(object.differences(from: Self.contract) == [])
    #expect(object["tokens"]?.int == 96)
    #expect(object["windows"]?.int == 3)
    #expect(object["length"]?.int == 32)
    let (perplexity, loss) = (object["perplexity"]?.double ?? 0, object["nll"]?.double ?? 0)
    #expect(1 < perplexity && perplexity < 10)
    #expect(abs(Foundation.log(perplexity) - loss) < 1e-9)
  }

  @Test func theTextNamesItsProtocol() throws {
    let model = try TinyModel()
    let run = try ToolRun(
      "eval", model.path, "--text", TinyModel.text("heldout.txt"), "--length", "32", "--windows",
      "3")
    #expect(run.status == 0)
    #expect(
      run.lines.map { $0.prefix { $0 != " " } } == ["perplexity", "nll", "windows", "protocol"])
    #expect(run.output.contains("\nwindows     3 of 32 tokens, 96 in all\n"))
  }

  @Test func tokenIdsGiveWhatTheirTextGives() throws {
    let model = try TinyModel()
    let encoding = try TinyModel.golden()["encoding"]
    let ids = encoding?["ids"]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
    let tokens = try model.writeTokens(ids, samples: 1)
    let text = try model.folder.write(encoding?["text"]?.string ?? "", to: "text.txt")
    let fromTokens = try ToolRun("eval", model.path, "--tokens", tokens, "--json")
    let fromText = try ToolRun(
      "eval", model.path, "--text", text, "--length", "\(ids.count)", "--json")
    #expect(fromTokens.status == 0 && fromTokens.output == fromText.output)
  }
}

@Suite(.timeLimit(.minutes(20))) struct GenerateEndToEndTests {
  @Test func theLikeliestWordsAreThoseOfPyTorch() throws {
    let model = try TinyModel()
    let golden = try #require(try TinyModel.golden()["greedy"])
    let prompt = try #require(golden["prompt"]?.string)
    let run = try ToolRun("generate", model.path, "--prompt", prompt, "--tokens", "32")
    #expect(run.status == 0)
    #expect(run.output == prompt + (golden["text"]?.string ?? "") + "\n")
    let object = try ToolRun(
      "generate", model.path, "-p", prompt, "--tokens", "32", "--json"
    ).json()
    #expect(
      object.differences(from: [
        "schema": 1, "prompt": "string", "text": "string", "tokens": ["integer"],
      ]) == [])
    #expect(object["tokens"] == golden["ids"])
    #expect(object["text"] == golden["text"])
  }

  @Test func aSeedAlwaysDrawsTheSame() throws {
    let model = try TinyModel()
    func text(seed: String) throws -> String {
      try ToolRun(
        "generate", model.path, "-p", "", "--tokens", "12", "--temperature", "1", "--seed", seed
      ).output
    }
    #expect(try text(seed: "1") == text(seed: "1"))
    #expect(try text(seed: "1") != text(seed: "2"))
  }

  @Test func noMoreIsWrittenThanTheContextHolds() throws {
    let model = try TinyModel()
    try model.configure("max_position_embeddings", 24)
    let run = try ToolRun("generate", model.path, "-p", "Ada", "--tokens", "2147483647", "--json")
    #expect(run.status == 0)
    #expect(try run.json()["tokens"]?.array?.count ?? 0 < 24)
    #expect(
      run.errors == "Note: the model's context of 24 has room for 22 tokens after the prompt, "
        + "not 2147483647\n")
    #expect(try ToolRun("generate", model.path, "-p", "Ada", "--tokens", "22", "-q").errors.isEmpty)
  }
}

@Suite(.timeLimit(.minutes(20))) struct BenchEndToEndTests {
  private static let contract: JSON = [
    "schema": 1, "version": "string", "processor": "string?", "system": "string",
    "results": [
      [
        "case": "string", "shape": "string", "kernel": "string", "threads": 1,
        "bestSeconds": "number", "medianSeconds": "number", "gigaflops": "number?",
        "gigabytes": "number?", "share": "number", "shareOf": "string", "product": "null",
      ]
    ],
  ]

  @Test func aCaseCanBeMeasuredAlone() throws {
    let run = try ToolRun("bench", "memcpy", "--threads", "1", "--json", "--quiet")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let object = try run.json()
    #expect(object.differences(from: Self.contract) == [])
    #expect(object["results"]?.array?.isEmpty == false)
    #expect(object["results"]?.array?.allSatisfy { $0["case"]?.string == "memcpy" } == true)
  }
}

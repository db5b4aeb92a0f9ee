import SparseCore
import TestSupport
import Testing

/// `--start-token`: the token that a tokenizer's template puts before a text.
@Suite struct StartTokenTests {
  /// The fixture with the template of Llama 2 and 3: token 0, then the text.
  private func model() throws -> TinyModel {
    let model = try TinyModel()
    let text = String(decoding: try model.folder.read("model/tokenizer.json"), as: UTF8.self)
    var members = try JSON(parsing: text).object ?? []
    members.removeAll { $0.key == "post_processor" }
    let token: JSON = ["SpecialToken": ["id": "<|endoftext|>", "type_id": 0]]
    let sequence: JSON = ["Sequence": ["id": "A", "type_id": 0]]
    let processor: JSON = [
      "type": "TemplateProcessing", "single": .array([token, sequence]),
      "pair": .array([sequence]),
      "special_tokens": [
        "<|endoftext|>": ["id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]]
      ],
    ]
    members.append(JSON.Member(key: "post_processor", value: processor))
    try model.folder.write(JSON.object(members).text(), to: "model/tokenizer.json")
    return model
  }

  /// What transformers 5.24 writes after the ids of its tokenizer, greedily.
  @Test func aPromptBeginsWithIt() throws {
    let model = try model()
    let prompt = ["generate", model.path, "-p", "Ada has 3 apples.", "--tokens", "24", "-q"]
    let run = try ToolRun(prompt)
    #expect(run.status == 0, "\(run.errors)")
    #expect(
      run.output
        == "Ada has 3 apples. In the evening Karel was late and Faye walked home with him.\n")
    let without = try ToolRun(prompt + ["--start-token", "none"])
    let plain = try TinyModel()
    let reference = try ToolRun(["generate", plain.path] + prompt.dropFirst(2))
    #expect(without.output == reference.output && reference.status == 0)
    #expect(without.output != run.output)
  }

  /// 0.59629 and 0.45495 nats: transformers 5.24, see StartTokensTests.
  @Test func theProtocolSaysWhich() throws {
    let model = try model()
    let eval = [
      "eval", model.path, "--text", TinyModel.text("heldout.txt"), "--length", "128", "--windows",
      "8", "-q",
    ]
    let run = try ToolRun(eval)
    #expect(run.output.contains("0.59629 nats"))
    #expect(run.output.contains("each begins with token 0"))
    let without = try ToolRun(eval + ["--start-token", "none"])
    #expect(without.output.contains("0.45495 nats"))
    #expect(without.output.contains("no BOS added"))
    #expect(try ToolRun(eval + ["--json"]).json()["startTokens"] == [0])
    #expect(try ToolRun(eval + ["--start-token", "bos"]).status == 64)
  }
}

import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Which tokens end a text: as in transformers, generation_config.json alone says it where there is one.
@Suite struct EndTokenTests {
  /// Greedy generation by transformers 5.24 after this prompt: the seventh token is 358.
  private static let prompt = "Ada has 3 apples."

  @Test(
    arguments: [
      (nil, 358, 6), (nil, [0, 358], 6), (#"{"eos_token_id": [0, 358]}"#, 0, 6),
      (#"{"eos_token_id": 0}"#, 358, 20), (#"{"bos_token_id": 0}"#, 358, 20),
      (#"{"eos_token_id": null}"#, 358, 20), (#"{"temperature": NaN, "eos_token_id": 358}"#, 0, 6),
    ] as [(String?, JSON, Int)])
  func generationEndsWhereTheReferenceDoes(file: String?, config: JSON, count: Int) throws {
    let folder = try TemporaryFolder()
    var model = try EditedModel(.tiny)
    model.set("eos_token_id", config)
    let path = try model.write(to: folder)
    if let file { try folder.write(file, to: "model/generation_config.json") }
    let decoder = try LanguageModel(Checkpoint(path: path))
    let ids = try Tokenizer(for: decoder.checkpoint).encode(Self.prompt)
    let written = try decoder.generate(
      after: ids, count: 20, sampling: Sampling(temperature: 0))
    #expect(written.count == count)
  }

  @Test func aFileThatIsNoJSONIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = try EditedModel(.tiny).write(to: folder)
    try folder.write("{", to: "model/generation_config.json")
    let decoder = try LanguageModel(Checkpoint(path: path))
    let error = #expect(throws: ModelError.self) {
      try decoder.generate(after: [1], count: 1, sampling: Sampling())
    }
    #expect(error?.description.hasPrefix("\(path)/generation_config.json: not JSON") == true)
  }
}

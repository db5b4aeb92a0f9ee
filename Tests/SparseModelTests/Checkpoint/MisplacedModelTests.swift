import Foundation
import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What people give in place of a model is named, with what to do.
@Suite struct MisplacedModelTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expect(
    _ error: MisplacedModel, at path: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: error, sourceLocation: sourceLocation) { try Checkpoint(path: path) }
  }

  @Test(arguments: ["HuggingFaceTB/SmolLM2-135M", "Qwen/Qwen2.5-0.5B", "org/model_1"])
  func aNameOnTheHubIsNotAPath(name: String) {
    expect(.hubName(name), at: name)
    #expect(MisplacedModel.hubName(name).description.contains("hf download \(name) --local-dir "))
  }

  @Test(arguments: [
    "./org/model", "../org/model", "/org/model", "org/model/", "model", "a/b/c", "~/model",
    "org/model.safetensors", "org /model",
  ])
  func anyOtherPathIsMissing(path: String) {
    #expect(throws: FileError.missing(path: path)) { try Checkpoint(path: path) }
  }

  @Test func anAddressIsNamed() {
    expect(.webAddress("https://example.org/a/b"), at: "https://example.org/a/b")
  }

  @Test func theCacheOfAClientNamesItsSnapshot() throws {
    let cache = folder["models--org--name"]
    try folder.write("a1b2\n", to: "models--org--name/refs/main")
    for name in ["a1b2", "c3d4"] {
      try folder.write("{}", to: "models--org--name/snapshots/\(name)/config.json")
    }
    expect(.hubCache(folder: cache, snapshot: cache + "/snapshots/a1b2"), at: cache)
    expect(.hubCaches(folder: folder.path, first: "models--org--name"), at: folder.path)
    try folder.write("gone", to: "models--org--name/refs/main")
    expect(.hubCache(folder: cache, snapshot: nil), at: cache)
  }

  @Test func anAdapterIsToBeMerged() throws {
    try folder.write("{}", to: "adapter/adapter_config.json")
    expect(.adapter(path: folder["adapter"]), at: folder["adapter"])
    var model = try EditedModel(.tiny)
    model.tensors = []
    model.put(
      "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight", [2, 4],
      [Float](repeating: 1, count: 8))
    try model.write(to: folder)
    for path in [folder["model"], folder["model/model.safetensors"]] {
      expect(.adapter(path: path), at: path)
    }
    try FileManager.default.moveItem(
      atPath: folder["model/model.safetensors"],
      toPath: folder["adapter/adapter_model.safetensors"])
    expect(.adapter(path: folder["adapter"]), at: folder["adapter"])
  }

  @Test(arguments: [
    ("pytorch_model.bin", ForeignFile.pytorch), ("model-q4.gguf", .gguf), ("model.onnx", .onnx),
    ("weights.npz", .numpyArchive), ("flax_model.msgpack", .flax),
  ])
  func weightsInAnotherFormatAreNamed(name: String, kind: ForeignFile) throws {
    try folder.write("{}", to: "config.json")
    try folder.write([1, 2, 3], to: name)
    expect(.foreign(path: folder.path, file: name, kind), at: folder.path)
    let path = folder[name]
    #expect(throws: SafetensorsFileError(path: path, reason: .foreign(kind))) {
      try Checkpoint(path: path)
    }
  }

  @Test func anIndexOfPyTorchFilesIsNamed() throws {
    let path = try folder.write(
      #"{"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}}"#, to: "model.bin.index.json")
    expect(
      .foreign(path: path, file: "pytorch_model-00001-of-00002.bin", .pytorch), at: path)
  }

  @Test(arguments: ["model.safetensors", "config.json", "tokenizer.json"])
  func aLinkThatLeadsNowhereSaysWhere(name: String) throws {
    let path = try EditedModel(.tiny).write(to: folder)
    let link = path + "/" + name
    if FileSystem.isTaken(link) { try FileManager.default.removeItem(atPath: link) }
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "../../blobs/0f0f")
    let error = #expect(throws: FileError.self) {
      let checkpoint = try Checkpoint(path: path)
      _ = try (ModelConfiguration(checkpoint), Tokenizer(for: checkpoint))
    }
    #expect(error == .brokenLink(path: link, target: "../../blobs/0f0f"))
  }

  // MARK: Texts

  @Test(arguments: [
    ("data.jsonl", "plain text"), ("data.JSON", "plain text"),
    ("data.txt", "{\"text\": \"Ada\"}\n{\"text\": \"has\"}\n"),
    ("data", "\n[\n  {\"text\": \"Ada\"}\n]\n"), ("data.txt", "{\n  \"text\": \"Ada\"\n}"),
  ])
  func jsonIsNoText(name: String, text: String) throws {
    let path = try folder.write(text, to: name)
    let tokenizer = try Tokenizer(for: ModelFixture.tiny.checkpoint())
    #expect(throws: TextError.json(path: path)) { try tokenizer.encode(contentsOf: path) }
  }

  @Test(arguments: ["{ a set }\nof things", "[1] See there.", "[1, 2]\n", "{}", "{\"a\"\n"])
  func bracesAloneAreText(text: String) throws {
    let path = try folder.write(text, to: "text.txt")
    let tokenizer = try Tokenizer(for: ModelFixture.tiny.checkpoint())
    #expect(try tokenizer.encode(contentsOf: path) == tokenizer.encode(text))
  }

  @Test func aPointerIsNoText() throws {
    let path = try folder.write(
      "version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 1\n", to: "text.txt")
    let tokenizer = try Tokenizer(for: ModelFixture.tiny.checkpoint())
    #expect(throws: TextError.foreign(path: path, .lfsPointer)) {
      try tokenizer.encode(contentsOf: path)
    }
  }

  /// A pad token that was added to the tokenizer, and no row to the model.
  @Test func aTokenBeyondTheEmbeddingIsNamed() throws {
    let path = try EditedModel(.tiny).write(to: folder)
    var json = try JSON(parsing: MappedFile(path: path + "/tokenizer.json").bytes)
    let pad: JSON = ["id": 512, "content": "<pad>", "special": true]
    json = .object(
      (json.object ?? []).map { member in
        member.key == "added_tokens"
          ? JSON.Member(key: member.key, value: .array((member.value.array ?? []) + [pad])) : member
      })
    let tokenizer = try folder.write(json.text(), to: "model/tokenizer.json")
    let checkpoint = try Checkpoint(path: path)
    let decoder = try LanguageModel(checkpoint)
    let ids = try Tokenizer(for: checkpoint).encode("Ada<pad>")
    let error = ModelError.tokenBeyondEmbedding(
      id: 512, token: "<pad>", vocabulary: 512, tokenizer: tokenizer, source: "tokens")
    #expect(throws: error) { try decoder.logits(of: ids) }
    #expect(error.description.contains("'<pad>' has id 512 in \(tokenizer)"))
  }
}

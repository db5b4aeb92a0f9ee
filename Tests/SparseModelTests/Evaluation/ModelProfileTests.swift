import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What the weights of a model are, in each form.
@Suite struct ModelProfileTests {
  private let place: PrunedFolder

  init() throws { place = try PrunedFolder(EditedModel(.tiny)) }

  private func profile(_ name: String) throws -> ModelProfile {
    try Checkpoint(path: place.folder[name]).profile()
  }

  @Test func everyFormHasItsNumbers() throws {
    let dense = try profile("model")
    #expect((dense.parameters, dense.bytes) == (803968, 2 * 803968))
    #expect((dense.linears, dense.sparseLinears, dense.compressedLinears) == (28, 0, 0))
    #expect(dense.zeroShare < 0.01 && dense.types == ["BF16"])

    try place.prune(.magnitude, to: "pruned")
    let pruned = try profile("pruned")
    #expect((pruned.parameters, pruned.bytes) == (dense.parameters, dense.bytes))
    #expect((pruned.sparseLinears, pruned.compressedLinears) == (28, 0))
    #expect(pruned.zeroShare >= 0.5 && pruned.zeroShare < 0.51)

    let report = try CompressRun(
      place.folder["pruned"], EncodingOptions(output: place.folder["small"])
    ).run()
    let small = try profile("small")
    #expect(small.bytes == report.outputBytes)
    #expect((small.parameters, small.linears, small.compressedLinears) == (803968, 28, 28))
    #expect(small.zeroShare == pruned.zeroShare && small.sparseLinears == 28)

    _ = try QuantizeRun(place.input, QuantizeOptions(output: place.folder["int8"])).run()
    let int8 = try profile("int8")
    #expect((int8.parameters, int8.types, int8.sparseLinears) == (803968, ["I8"], 0))
  }

  @Test func speedsArePositiveAndOnlyNeedTwoTokens() throws {
    let model = try LanguageModel(Checkpoint(path: place.input))
    let ids = Array(try ModelFixture.tiny.windows("heldout.txt", length: 24, count: 1)[0])
    for count in [2, 3, 24] {
      let rates = try DecodeSpeed().measure([model, model], on: Array(ids.prefix(count)))
      #expect(rates.map(\.rounds.count) == [7, 7])
    }
    #expect(throws: CancellationError.self) {
      try DecodeSpeed().measure([model], on: ids) { _ in throw CancellationError() }
    }
  }
}

/// Which models can be compared at all.
@Suite struct ComparisonErrorTests {
  private let folder: TemporaryFolder
  private let model: Checkpoint

  init() throws {
    folder = try TemporaryFolder()
    model = try Checkpoint(path: EditedModel(.tiny).write(to: folder))
  }

  @Test func modelsOfOneLanguageAreTaken() throws {
    try model.requireSameLanguage(as: model, readsText: true)
    let again = try Checkpoint(path: EditedModel(.tiny).write(to: folder, "again"))
    let text = try JSON(parsing: MappedFile(path: ModelFixture.tiny.file("tokenizer.json")).bytes)
    try folder.write(text.text(pretty: false), to: "again/tokenizer.json")
    try model.requireSameLanguage(as: again, readsText: true)
  }

  @Test func anotherVocabularyIsRefusedWithBothNumbers() throws {
    var edited = try EditedModel(.tiny)
    edited.set("vocab_size", 500)
    let other = try Checkpoint(path: edited.write(to: folder, "other"))
    let error = ComparisonError.vocabularies(model.path, 512, other.path, 500)
    for readsText in [true, false] {
      #expect(throws: error) { try model.requireSameLanguage(as: other, readsText: readsText) }
    }
    #expect("\(error)".contains("512 tokens") && "\(error)".contains("500"))
  }

  @Test func anotherTokenizerIsRefusedForTextsAlone() throws {
    let other = try Checkpoint(path: EditedModel(.tiny).write(to: folder, "other"))
    let path = folder["other"] + "/tokenizer.json"
    var json = try #require(try JSON(parsing: MappedFile(path: path).bytes).object)
    json.removeAll { $0.key == "normalizer" }
    json.append(JSON.Member(key: "normalizer", value: ["type": "NFC"]))
    try folder.write(JSON.object(json).text(), to: "other/tokenizer.json")
    #expect(
      throws: ComparisonError.tokenizers(model.path + "/tokenizer.json", path)
    ) { try model.requireSameLanguage(as: other, readsText: true) }
    try model.requireSameLanguage(as: other, readsText: false)
    try folder.write("{", to: "other/tokenizer.json")
    #expect(throws: ComparisonError.self) {
      try model.requireSameLanguage(as: other, readsText: true)
    }
  }

  @Test func missingFilesAreNamed() throws {
    var edited = try EditedModel(.tiny)
    edited.companions = []
    let silent = try Checkpoint(path: edited.write(to: folder, "silent"))
    #expect(throws: ModelError.missingTokenizer(folder: silent.path)) {
      try model.requireSameLanguage(as: silent, readsText: true)
    }
    edited.config = nil
    let bare = try Checkpoint(path: edited.write(to: folder, "bare"))
    #expect(throws: ModelError.missingConfiguration(folder: bare.path)) {
      try model.requireSameLanguage(as: bare, readsText: false)
    }
  }
}

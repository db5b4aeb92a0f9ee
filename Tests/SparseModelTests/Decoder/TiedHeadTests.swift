import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Which table is the embedding and which the output projection, where config.json ties them.
@Suite struct TiedHeadTests {
  let folder: TemporaryFolder
  let model: EditedModel
  static let ids: [Int32] = [3, 1, 60, 7, 7, 12]
  static let embedding = "model.embed_tokens.weight"
  static let head = "lm_head.weight"

  init() throws {
    folder = try TemporaryFolder()
    model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
  }

  private func logits(_ model: EditedModel, _ name: String) throws -> Matrix {
    try LanguageModel(Checkpoint(path: model.write(to: folder, name))).logits(of: Self.ids)
  }

  private func table(_ model: EditedModel) throws -> EditedModel.Tensor {
    try #require(model.tensors.first { $0.spec.name == Self.embedding })
  }

  /// transformers 5 and vLLM compare the tables.
  @Test func aHeadThatDiffersIsTheHead() throws {
    var other = model
    let table = try table(model)
    // Each token has the row of the next one.
    let row = table.bytes.count / table.spec.shape[0]
    let bytes = Array(table.bytes[row...] + table.bytes[..<row])
    other.put(Self.head, table.spec.dtype, table.spec.shape, bytes)
    var untied = other
    untied.set("tie_word_embeddings", false)
    let expected = try logits(untied, "untied")
    #expect(try logits(other, "other").distance(to: expected) == 0)
    #expect(try logits(model, "tied").distance(to: expected) > 0)
    let decoder = try LanguageModel(Checkpoint(path: folder["other"]))
    #expect(!decoder.configuration.tiesEmbeddings && decoder.redundantHead == nil)
  }

  @Test func aHeadThatIsTheSameChangesNothing() throws {
    var same = model
    let table = try table(model)
    same.put(Self.head, table.spec.dtype, table.spec.shape, table.bytes)
    #expect(try logits(same, "same").distance(to: logits(model, "tied")) == 0)
    let decoder = try LanguageModel(Checkpoint(path: folder["same"]))
    #expect(decoder.configuration.tiesEmbeddings && decoder.redundantHead == Self.head)
    #expect(decoder.unreadTensors.isEmpty)
  }

  @Test func aHeadAloneIsBoth() throws {
    var alone = model
    let table = try table(model)
    alone.remove(Self.embedding)
    alone.put(Self.head, table.spec.dtype, table.spec.shape, table.bytes)
    #expect(try logits(alone, "alone").distance(to: logits(model, "tied")) == 0)
  }

  /// A checkpoint of the base model, as `AutoModel` saves it.
  @Test func namesMayLackTheirPrefix() throws {
    var base = model
    for place in base.tensors.indices {
      let spec = base.tensors[place].spec
      base.tensors[place].spec = TensorSpec(
        name: String(spec.name.dropFirst("model.".count)), dtype: spec.dtype, shape: spec.shape)
    }
    #expect(try logits(base, "base").distance(to: logits(model, "whole")) == 0)
    let report = try PruneRun(
      folder["base"], PruneOptions(method: .magnitude, output: folder["out"])
    ).run()
    #expect(report.layers.count == 14)
    let out = try Checkpoint(path: folder["out"])
    #expect(Set(out.tensors.map(\.name)) == Set(base.tensors.map(\.spec.name)))
  }

  /// Logits by transformers of its own small models, each also with its config.json as the hub has such.
  @Test(
    .enabled(if: Shared.exists),
    arguments: ["llama", "llama-linear", "mistral", "qwen2", "qwen2-tied-duplicate"],
    ["config.json", "config-hub.json"])
  func theLogitsOfTheReferenceComeOut(name: String, config: String) throws {
    let path = Shared.path("golden/architectures/\(name)")
    guard try FileSystem.kind(of: path + "/" + config) == .file else { return }
    for (file, source) in [("model.safetensors", "model.safetensors"), ("config.json", config)] {
      try folder.write(MappedFile(path: path + "/" + source).bytes.array, to: "golden/\(file)")
    }
    let golden = try SafetensorsFile(path: path + "/golden.safetensors")
    let shape = try #require(golden["logits"]?.shape)
    let ids = try golden.integers("tokens").map { Int32($0) }
    let values = try golden.bytes(of: "logits").floats
    let decoder = try LanguageModel(Checkpoint(path: folder["golden"]))
    for sequence in 0..<shape[0] {
      let logits = try decoder.logits(
        of: Array(ids[sequence * shape[1]..<(sequence + 1) * shape[1]]))
      let size = shape[1] * shape[2]
      let expected = Matrix(
        rows: shape[1], columns: shape[2], Array(values[sequence * size..<(sequence + 1) * size]))
      #expect(logits.distance(to: expected) < 1e-4 * expected.largest)
    }
  }
}

extension ByteView {
  /// The bytes as float32.
  fileprivate var floats: [Float] {
    withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        Float(bitPattern: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
      }
    }
  }
}

import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// What each target gets.
@Suite struct ExportRunTests {
  private let place: PrunedFolder

  init() throws {
    place = try PrunedFolder(EditedModel(.tiny))
    try place.prune(.magnitude, to: "sparse")
    _ = try QuantizeRun(place.folder["sparse"], QuantizeOptions(output: place.folder["int8"])).run()
    for name in ["sparse", "int8"] {
      _ = try CompressRun(
        place.folder[name], EncodingOptions(output: place.folder[name + "-small"])
      ).run()
    }
  }

  @discardableResult
  private func export(_ input: String, to target: String) throws -> EncodingReport {
    let target = try #require(ExportTarget.named(target))
    return try ExportRun(
      place.folder[input], for: target, output: place.folder["out"], force: true
    ).run()
  }

  private func quantization(_ folder: String) throws -> JSON? {
    try JSON(parsing: ByteView(copying: place.folder.read("\(folder)/config.json")))[
      "quantization_config"]
  }

  @Test(arguments: ["sparse", "int8"], ["transformers", "vllm", "tensorrt-llm"])
  func todaysLoadersGetZerosAndNoWordOfSparsity(model: String, target: String) throws {
    for input in [model, model + "-small"] {
      try export(input, to: target)
      #expect(try place.bytes("out") == place.bytes(model), "\(input)")
      #expect(try quantization("out") == quantization(model), "\(input)")
      #expect(try quantization("out")?["sparsity_config"] == nil, "\(input)")
    }
  }

  @Test(arguments: ["sparse", "int8"]) func theLastLoaderOf24GetsMasks(model: String) throws {
    for input in [model, model + "-small"] {
      try export(input, to: "vllm@0.18")
      #expect(try place.bytes("out") == place.bytes(model + "-small"), "\(input)")
      #expect(try quantization("out") == quantization(model + "-small"), "\(input)")
    }
    let sparsity = try quantization("out")?["sparsity_config"]
    #expect(
      sparsity == [
        "format": "sparse-24-bitmask", "targets": ["Linear"], "ignore": ["lm_head"],
        "global_sparsity": 0.5, "sparsity_structure": "2:4", "registry_requires_subclass": false,
      ])
  }

  @Test(arguments: ["sparse", "int8"], ["", "-small"])
  func pyTorchGetsItsTwoTensors(model: String, form: String) throws {
    let target = try #require(ExportTarget.named("pytorch"))
    let run = try ExportRun(
      place.folder[model + form], for: target, output: place.folder["out"], force: true)
    #expect(run.left.count == 4 && run.left.allSatisfy { $0.name.contains("down_proj") })
    #expect(try run.run().weights.count == 24)
    let (sparse, output) = (
      try Checkpoint(path: place.folder[model]), try Checkpoint(path: place.folder["out"])
    )
    let module = "model.layers.1.self_attn.q_proj"
    let weight = try Compressed24(exactly: sparse.weight(module + ".weight"), filler: .pyTorch)
    #expect(output[module + ".packed"]?.shape == [128, 64])
    #expect(output[module + ".meta"]?.shape == (model == "int8" ? [128, 4] : [128, 8]))
    #expect(output[module + ".meta"]?.dtype == (model == "int8" ? .i32 : .i16))
    #expect(try output.bytes(of: module + ".packed").array == weight.values.array)
    let metadata = try MetadataLayout.cutlass.encoded(weight)
    #expect(try output.bytes(of: module + ".meta").array == metadata.array)
    let whole = "model.layers.1.mlp.down_proj.weight"
    #expect(try output.bytes(of: whole).array == sparse.bytes(of: whole).array)
    #expect(try quantization("out")?["sparsity_config"] == nil)
  }

  @Test(arguments: ["sparse", "int8"]) func cuSPARSELtGetsItsBlobs(model: String) throws {
    #expect(try export(model, to: "cusparselt").weights.count == 28)
    let (sparse, output) = (
      try Checkpoint(path: place.folder[model]), try Checkpoint(path: place.folder["out"])
    )
    let module = "model.layers.3.mlp.down_proj"
    let weight = try Compressed24(exactly: sparse.weight(module + ".weight"), filler: .cuSPARSELt)
    let blob = try CuSPARSELtBlob.h100.bytes(of: weight)
    #expect(try output.bytes(of: module + ".cusparselt").array == blob.array)
    #expect(try output.integers(module + ".shape") == [128, 352])
    let manifest = try place.manifest("out/model.safetensors")
    #expect(manifest["encoding"] == "cusparselt 0.8.0 H100")
  }

  @Test(arguments: ExportTarget.all.map(\.name))
  func aModelThatIsNot24IsRefused(target: String) throws {
    #expect(throws: EncodingError.nothingSparse(path: place.input, weights: 29)) {
      let target = try #require(ExportTarget.named(target))
      _ = try ExportRun(place.input, for: target, output: place.folder["out"])
    }
    let file = try SafetensorsFile(path: place.folder["sparse/model.safetensors"])
    let tensor = try #require(file["model.layers.1.mlp.gate_proj.weight"])
    var bytes = try place.bytes("sparse")
    let start = file.place(of: tensor).lowerBound
    for value in 0..<4 { (bytes[start + 2 * value], bytes[start + 2 * value + 1]) = (0x80, 0x3F) }
    try place.folder.write(bytes, to: "sparse/model.safetensors")
    let violation = GroupViolation(row: 0, group: 0, nonZeros: 4, isFinite: true)
    #expect(
      throws: EncodingError.weight(
        name: tensor.name, path: place.folder["sparse"], reason: .notTwoOfFour(violation))
    ) { try export("sparse", to: target) }
    #expect(!FileSystem.isTaken(place.folder["out"]))
  }

  @Test func aTargetThatTakesNoneOfTheWeightsSaysWhy() throws {
    var model = try EditedModel(.tiny)
    let name = "model.layers.0.self_attn.q_proj.weight"
    let weight = Matrix(try ModelFixture.tiny.checkpoint().matrix(name))
    let pruned = try Mask24(keepingLargest: weight).applied(to: weight)
    model.put(name, [weight.rows, weight.columns], pruned.values)
    try model.write(to: place.folder, "float")
    #expect(
      throws: EncodingError.noneFits(
        target: "pytorch", name: name, reason: .type(.float32, layout: "pytorch"))
    ) { try export("float", to: "pytorch") }
  }
}

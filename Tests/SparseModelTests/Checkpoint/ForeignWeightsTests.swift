import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Checkpoints that are no models of linear layers in a form that is read: refused by name, and never passed.
@Suite struct ForeignWeightsTests {
  private let folder: TemporaryFolder
  private static let up = "model.layers.0.mlp.up_proj.weight"

  init() throws { folder = try TemporaryFolder() }

  private func model(config: [(String, JSON)] = []) throws -> EditedModel {
    var model = try EditedModel(ModelFixture(name: "architectures/qwen2"))
    model.tensors = []
    for (key, value) in config { model.set(key, value) }
    return model
  }

  /// What every command that works on linear layers makes of a checkpoint.
  private func expectRefused(
    _ path: String, check: Bool = true, _ matches: (ForeignWeightsError) -> Bool
  ) {
    var runs: [() throws -> Void] = [
      { _ = try PruneRun(path, PruneOptions(method: .magnitude, output: folder["p"])) },
      { _ = try QuantizeRun(path, QuantizeOptions(output: folder["q"])) },
    ]
    if check { runs.append { _ = try Checkpoint(path: path).check() } }
    for run in runs {
      let error = #expect(throws: ForeignWeightsError.self) { try run() }
      #expect(error.map(matches) == true)
    }
  }

  /// Conv1D of transformers keeps `inputs × outputs`: groups of four inputs lie in its columns.
  @Test(arguments: [false, true]) func gpt2IsRefused(hasConfig: Bool) throws {
    var model = try model(config: [("model_type", "gpt2")])
    if !hasConfig { model.config = nil }
    model.put("transformer.h.0.attn.c_attn.weight", [4, 12], [Float](repeating: 1, count: 48))
    let path = try model.write(to: folder)
    expectRefused(path) {
      $0 == .transposed(tensor: "transformer.h.0.attn.c_attn.weight", path: path)
    }
  }

  /// GPT-BigCode has the same names, and `outputs × inputs`.
  @Test func bigCodeIsPruned() throws {
    var model = try model(config: [("model_type", "gpt_bigcode")])
    model.put("transformer.h.0.attn.c_attn.weight", [6, 4], (1...24).map(Float.init))
    let path = try model.write(to: folder)
    let report = try PruneRun(path, PruneOptions(method: .magnitude, output: folder["p"])).run()
    #expect(report.layers.map(\.name) == ["transformer.h.0.attn.c_attn.weight"])
  }

  @Test func anAdapterIsNoModel() throws {
    var model = try model()
    let name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    model.put(name, [4, 8], (1...32).map(Float.init))
    // Beside the weights that it belongs to, unmerged.
    model.put(Self.up, [4, 8], (1...32).map(Float.init))
    let path = try model.write(to: folder)
    for run in [
      { _ = try PruneRun(path, PruneOptions(method: .magnitude, output: folder["p"])) },
      { _ = try QuantizeRun(path, QuantizeOptions(output: folder["q"])) },
      { _ = try Checkpoint(path: path).check() },
    ] as [() throws -> Void] {
      let error = #expect(throws: (any Error).self) { try run() }
      #expect(error.map { "\($0)".contains("merge") } == true)
    }
  }

  /// Names of tensors as AutoGPTQ, AutoAWQ, bitsandbytes and compressed-tensors write them.
  @Test(arguments: ["q_proj.qweight", "q_proj.weight_packed", "q_proj.weight.absmax"])
  func packedCodesAreRefused(ending: String) throws {
    var model = try model()
    model.put(Self.up, [4, 8], (1...32).map(Float.init))
    let name = "model.layers.0.self_attn." + ending
    model.put(name, .i32, [1, 2], [0, 0, 0, 0, 0, 0, 0, 0])
    let path = try model.write(to: folder)
    #expect(throws: ForeignWeightsError.self) {
      _ = try QuantizeRun(path, QuantizeOptions(output: folder["q"]))
    }
    let error = #expect(throws: ForeignWeightsError.self) { try Checkpoint(path: path).check() }
    #expect(error.map { "\($0)".contains(name) } == true)
  }

  /// `quantization_config` says how the weights that are there are to be read: it is not replaced.
  @Test func aConfigOfAnotherFormatIsNotReplaced() throws {
    var model = try model(config: [
      ("quantization_config", ["quant_method": "fp8", "weight_block_size": [128, 128]])
    ])
    model.put(Self.up, [4, 8], (1...32).map(Float.init))
    let path = try model.write(to: folder)
    #expect(throws: ModelError.self) {
      _ = try QuantizeRun(path, QuantizeOptions(output: folder["q"]))
    }
  }

  // MARK: FP8

  /// The codes of zeros, NaN and infinities are those of the OCP 8-bit floating point specification, 1.0.
  ///
  /// E4M3 has two zeros, 0x00 and 0x80, and NaN at 0x7F and 0xFF. E5M2 has infinity at 0x7C and NaN above.
  @Test(arguments: [
    (DType.f8e4m3, [0x00, 0x80, 0x38, 0xB8] as [UInt8], true),
    (.f8e4m3, [0x00, 0x01, 0x38, 0xB8], false), (.f8e4m3, [0x00, 0x00, 0x7F, 0x00], false),
    (.f8e4m3, [0x00, 0x7C, 0x78, 0x80], true), (.f8e5m2, [0x80, 0x00, 0x3C, 0xBC], true),
    (.f8e5m2, [0x00, 0x00, 0x7C, 0x00], false), (.f8e5m2, [0x00, 0x00, 0xFF, 0x00], false),
    (.f8e5m2, [0x01, 0x3C, 0x3C, 0x00], false),
  ]) func fp8IsCheckedByItsCodes(dtype: DType, codes: [UInt8], passes: Bool) throws {
    var model = try model()
    model.put(Self.up, dtype, [2, 4], codes + [0, 0, 0, 0])
    model.put(CompressedTensors.scaleName(of: Self.up), [2, 1], [1, 1])
    let report = try Checkpoint(path: model.write(to: folder)).check(requiring: ["*_proj.weight"])
    #expect(report.passed == passes)
    #expect(report.count(.dense) == 0)
    #expect(report.tensors.map(\.dtype) == [dtype.rawValue])
  }

  @Test func fp8IsNamedWhereItIsNotRead() throws {
    var model = try model()
    model.put(Self.up, .f8e4m3, [1, 4], [0, 0, 1, 1])
    let path = try model.write(to: folder)
    expectRefused(path, check: false) {
      $0 == .elementType(tensor: Self.up, dtype: .f8e4m3, path: path)
    }
  }

  // MARK: Exports

  /// A 2:4 weight of 32 × 64 in bfloat16, as one library packs it.
  private func exported(_ target: String) throws -> String {
    var model = try model()
    let values = (0..<2048).map { Float([0, 1, 0, 2][$0 % 4]) }
    model.put(
      Self.up, .bf16, [32, 64],
      StoredMatrix(
        Matrix(rows: 32, columns: 64, values), as: .bfloat16
      ).bytes.withUnsafeBytes { Array($0) })
    let path = try model.write(to: folder)
    let output = folder["exported-" + target]
    _ = try ExportRun(path, for: #require(ExportTarget.named(target)), output: output).run()
    return output
  }

  @Test(arguments: ["pytorch", "cusparselt"]) func anExportIsVerified(target: String) throws {
    let path = try exported(target)
    let report = try Checkpoint(path: path).check(requiring: ["*.up_proj.weight"])
    #expect(report.passed)
    #expect(report.tensors.map(\.name) == [Self.up])
    #expect(report.tensors.first?.shape == [32, 64])
    #expect(report.tensors.first?.groups == 512)
    expectRefused(path, check: false) {
      if case .packed = $0 { true } else { false }
    }
  }

  /// A nibble of 0 says that both kept values come first: no two places.
  @Test(arguments: ["pytorch", "cusparselt"]) func damagedMetadataAreFound(target: String) throws {
    let path = try exported(target)
    let file = path + "/model.safetensors"
    let name = Path.name(of: path) + "/model.safetensors"
    var bytes = try folder.read(name)
    let checkpoint = try SafetensorsFile(path: file)
    let part = try #require(
      checkpoint.tensors.first { $0.name.hasSuffix(target == "pytorch" ? ".meta" : ".cusparselt") })
    let place = checkpoint.place(of: part)
    // The blob begins with 32 × 32 values of two bytes, and some of what follows the metadata is padding.
    bytes[place.lowerBound + (target == "pytorch" ? 0 : 2048)] = 0
    try folder.write(bytes, to: name)
    #expect(throws: ExportedWeightError.self) { try Checkpoint(path: path).check() }
  }
}

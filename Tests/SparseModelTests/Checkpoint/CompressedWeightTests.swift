import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Compressed weights that are damaged, or not what they say.
@Suite struct CompressedWeightTests {
  private static let module = "model.layers.0.mlp.up_proj"
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The tiny model with one weight pruned and compressed.
  private func model() throws -> EditedModel {
    var model = try EditedModel(.tiny)
    let weight = Matrix(try ModelFixture.tiny.checkpoint().matrix(Self.module + ".weight"))
    let pruned = try Mask24(keepingLargest: weight).applied(to: weight)
    let compressed = try Compressed24(exactly: StoredMatrix(pruned, as: .bfloat16))
    model.remove(Self.module + ".weight")
    model.put(Self.module + ".compressed", .bf16, [352, 64], compressed.values.array)
    model.put(Self.module + ".bitmask", .u8, [352, 16], compressed.mask.array)
    model.put(Self.module + ".shape", .i64, [2, 1], Self.integers([352, 128]))
    return model
  }

  private static func integers(_ values: [Int64]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
  }

  /// What opening and reading the whole model ends with.
  private func error(_ change: (inout EditedModel) throws -> Void) throws -> String {
    var model = try model()
    try change(&model)
    let path = try model.write(to: folder)
    do {
      _ = try LanguageModel(Checkpoint(path: path))
    } catch {
      return "\(error)".replacing(folder.path + "/", with: "")
    }
    return "no error"
  }

  @Test func aSoundOneIsRead() throws {
    #expect(try error { _ in } == "no error")
    // The shape of one dimension, too.
    #expect(
      try error { $0.put(Self.module + ".shape", .i64, [2], Self.integers([352, 128])) }
        == "no error")
  }

  @Test(arguments: ["bitmask", "shape"]) func aMissingPartIsNamed(part: String) throws {
    #expect(
      try error { $0.remove("\(Self.module).\(part)") }
        == "model/model.safetensors: tensor '\(Self.module).compressed' is a compressed weight, and its '\(Self.module).\(part)' is missing"
    )
  }

  @Test func masksThatDoNotKeepTwoAreRefused() throws {
    let message = try error { model in
      guard
        let place = model.tensors.firstIndex(where: { $0.spec.name == Self.module + ".bitmask" })
      else { return }
      model.tensors[place].bytes[16 * 7 + 3] = 0b0111_0011
    }
    #expect(
      message
        == "model/model.safetensors: tensor '\(Self.module).bitmask': the mask of row 7, group 7 keeps 3 of 4, not 2"
    )
  }

  @Test func randomMasksAreRefusedOrReadNeverCrash() throws {
    var random = SplitMix64(seed: 8)
    for _ in 0..<20 {
      let bytes = (0..<352 * 16).map { _ in UInt8.random(in: 0...255, using: &random) }
      let message = try error { $0.put(Self.module + ".bitmask", .u8, [352, 16], bytes) }
      #expect(message.contains("not 2"))
    }
  }

  @Test func wrongShapesAreNamedWithTheRightOnes() throws {
    #expect(
      try error {
        $0.put(
          Self.module + ".compressed", .bf16, [352, 63], Array(repeating: 0, count: 352 * 63 * 2))
      }
        == "model/model.safetensors: tensor '\(Self.module).compressed' is [352, 63]; for a compressed weight of [352, 128] it must be [352, 64]"
    )
    #expect(
      try error {
        $0.put(Self.module + ".bitmask", .u8, [352, 8], Array(repeating: 0x33, count: 352 * 8))
      }.contains("is [352, 8]; for a compressed weight of [352, 128] it must be [352, 16]"))
    for shape: [Int64] in [[352], [352, 126], [-352, 128], [352, 128, 1]] {
      #expect(
        try error {
          $0.put(Self.module + ".shape", .i64, [shape.count], Self.integers(shape))
        }.contains("not the rows and columns of a weight"), "\(shape)")
    }
    // A weight of another shape than config.json makes it.
    #expect(
      try error {
        $0.put(Self.module + ".compressed", .bf16, [352, 32], Array(repeating: 0, count: 352 * 64))
        $0.put(Self.module + ".bitmask", .u8, [352, 8], Array(repeating: 0x33, count: 352 * 8))
        $0.put(Self.module + ".shape", .i64, [2, 1], Self.integers([352, 64]))
      }.contains("[352, 64]"))
  }

  @Test func swappedTypesAreNamed() throws {
    #expect(
      try error {
        $0.put(Self.module + ".bitmask", .i8, [352, 16], Array(repeating: 0x33, count: 352 * 16))
      }.contains("'\(Self.module).bitmask' is I8; as a part of a compressed weight it must be U8"))
    #expect(
      try error {
        $0.put(Self.module + ".compressed", .u8, [352, 64], Array(repeating: 0, count: 352 * 64))
      }.contains("is U8; as a part of a compressed weight it must be F32, F16, BF16, I8"))
    #expect(
      try error {
        $0.put(Self.module + ".shape", .i32, [2, 1], Array(repeating: 0, count: 8))
      }.contains("'\(Self.module).shape' is I32; as a part of a compressed weight it must be I64"))
    #expect(
      try error {
        $0.put(Self.module + ".compressed", .i8, [352, 64], Array(repeating: 0, count: 352 * 64))
      }.contains("its scales '\(Self.module).weight_scale' are missing"))
  }

  @Test func whatIsThereTwiceOrInAnotherLayoutIsRefused() throws {
    #expect(
      try error { model in
        model.put(
          Self.module + ".weight", .bf16, [352, 128], Array(repeating: 0, count: 352 * 256))
      }.contains("is there twice, whole and compressed"))
    #expect(
      try error {
        $0.put(Self.module + ".row_offsets", .i64, [352], Array(repeating: 0, count: 352 * 8))
      }.contains("is in the layout sparse-bitmask; only sparse-24-bitmask is read"))
  }

  @Test func configMustNotClaimWhatIsNotThere() throws {
    func configuration(_ format: String) -> JSON {
      ["quant_method": "compressed-tensors", "sparsity_config": ["format": .string(format)]]
    }
    #expect(
      try error { $0.set("quantization_config", configuration("sparse-24-bitmask")) } == "no error")
    #expect(
      try error { model in
        model = try EditedModel(.tiny)
        model.set("quantization_config", configuration("sparse-24-bitmask"))
      }
        == "model/config.json: sparsity_config says that weights are in the format sparse-24-bitmask, and none is"
    )
    #expect(
      try error { $0.set("quantization_config", configuration("marlin-24")) }.contains("marlin-24"))
  }
}

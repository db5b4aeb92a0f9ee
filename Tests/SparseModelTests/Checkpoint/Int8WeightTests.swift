import SparseCore
import TestSupport
import Testing

@testable import SparseModel

/// Checkpoints that compressed-tensors wrote, or that look like it.
@Suite struct Int8WeightTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let name = "model.layers.1.mlp.up_proj.weight"
  private static let scale = "model.layers.1.mlp.up_proj.weight_scale"

  /// The tiny model with the weight above in INT8, with one scale for each group of columns.
  private func quantized(groupSize: Int? = nil) throws -> EditedModel {
    var model = try EditedModel(.tiny)
    let weight = Matrix(try ModelFixture.tiny.checkpoint().matrix(Self.name))
    let grid = try Int8Grid(for: weight, groupSize: groupSize)
    let codes = grid.codes(of: weight).map { UInt8(bitPattern: $0) }
    model.put(Self.name, .i8, [weight.rows, weight.columns], codes)
    model.put(Self.scale, [weight.rows, grid.groups], grid.scales)
    model.set("quantization_config", Self.configuration())
    return model
  }

  private static func configuration(
    _ changes: [String: JSON] = [:], weights changedWeights: [String: JSON] = [:]
  ) -> JSON {
    func object(_ members: [(String, JSON)], _ changes: [String: JSON]) -> JSON {
      .object(
        (members.filter { changes[$0.0] == nil } + changes.map { ($0.key, $0.value) }).map {
          JSON.Member(key: $0.0, value: $0.1)
        })
    }
    let weights = object(
      [
        ("num_bits", 8), ("type", "int"), ("symmetric", true), ("strategy", "channel"),
        ("dynamic", false), ("actorder", .null),
      ], changedWeights)
    return object(
      [
        ("quant_method", "compressed-tensors"), ("format", "int-quantized"),
        ("quantization_status", "compressed"),
        ("config_groups", ["group_0": ["targets": ["Linear"], "weights": weights]]),
      ], changes)
  }

  @Test(arguments: [nil, 32], [DType.f32, .f16, .bf16])
  func theModelComputesWithCodesTimesScales(groupSize: Int?, scaleType: DType) throws {
    var model = try quantized(groupSize: groupSize)
    let weight = Matrix(try ModelFixture.tiny.checkpoint().matrix(Self.name))
    let type = try #require(scaleType.scalarType)
    let grid = try Int8Grid(for: weight, groupSize: groupSize).withScales(roundedTo: type)
    model.put(
      Self.name, .i8, [weight.rows, weight.columns],
      grid.codes(of: weight).map { UInt8(bitPattern: $0) })
    let scales = Matrix(rows: weight.rows, columns: grid.groups, grid.scales)
    model.put(Self.scale, scaleType, [weight.rows, grid.groups], scales.storedBytes(as: type))
    let int8 = try Checkpoint(path: model.write(to: folder, "int8"))

    var float = try EditedModel(.tiny)
    float.put(Self.name, [weight.rows, weight.columns], grid.rounded(weight).values)
    let wanted = try LanguageModel(Checkpoint(path: float.write(to: folder, "float")))

    #expect(Matrix(try int8.weight(Self.name)) == grid.rounded(weight))
    let windows = try ModelFixture.tiny.windows("heldout.txt", length: 32, count: 2)
    let decoder = try LanguageModel(int8)
    #expect(try decoder.perplexity(of: windows) == wanted.perplexity(of: windows))
    let prompt = Array(windows.ids[..<20])
    #expect(
      try decoder.generate(after: prompt, count: 8, sampling: Sampling(temperature: 0))
        == wanted.generate(after: prompt, count: 8, sampling: Sampling(temperature: 0)))
  }

  @Test func checkAndInspectCountCodesWithoutAConfig() throws {
    var model = try quantized()
    model.config = nil
    var codes = [UInt8](repeating: 0, count: 352 * 128)
    for row in 0..<352 { codes[row * 128 + row % 128] = UInt8(bitPattern: -128) }
    model.put(Self.name, .i8, [352, 128], codes)
    let checkpoint = try Checkpoint(path: model.write(to: folder) + "/model.safetensors")
    let selection = WeightSelection(only: [Self.name])
    let check = try checkpoint.check(selection)
    #expect(check.passed && check.count(.sparse) == 1)
    let tensor = try #require(checkpoint.inspect(selection).tensors.first)
    #expect(tensor.dtype == "I8" && tensor.sparsity?.zeros == 352 * 127)
  }

  @Test func unusableScalesAreErrors() throws {
    var folders = 0
    func error(_ edit: (inout EditedModel) -> Void) throws -> Int8WeightError? {
      var model = try quantized()
      edit(&model)
      folders += 1
      let path = try model.write(to: folder, "model\(folders)")
      let error = #expect(throws: Int8WeightError.self) {
        try LanguageModel(Checkpoint(path: path))
      }
      if let error { #expect(error.description.hasPrefix(path + ": tensor 'model.layers.1")) }
      return error
    }
    func path() -> String { folder["model\(folders)"] }

    #expect(
      try error { $0.remove(Self.scale) }
        == .missingScale(tensor: Self.name, scale: Self.scale, path: path()))
    for shape in [[352], [351, 1], [352, 0], [352, 3], [352, 64], [352, 256], [1, 352, 1]] {
      let scales = [Float](repeating: 1, count: shape.reduce(1, *))
      #expect(
        try error { $0.put(Self.scale, shape, scales) }
          == .scaleShape(scale: Self.scale, shape: shape, weight: [352, 128], path: path()))
    }
    for value in [0, -1, Float.infinity] {
      var scales = [Float](repeating: 1, count: 704)
      scales[7] = value
      #expect(
        try error { $0.put(Self.scale, [352, 2], scales) }
          == .badScale(scale: Self.scale, row: 3, value: value, path: path()))
    }
    let zeroPoint = "model.layers.1.mlp.up_proj.weight_zero_point"
    #expect(
      try error { $0.put(zeroPoint, .i8, [352, 1], [UInt8](repeating: 1, count: 352)) }
        == .zeroPoint(tensor: zeroPoint, path: path()))
  }

  @Test func symmetricZeroPointsAreNone() throws {
    var model = try quantized()
    model.put(
      "model.layers.1.mlp.up_proj.weight_zero_point", .i8, [352, 1],
      [UInt8](repeating: 0, count: 352))
    #expect(throws: Never.self) { try LanguageModel(Checkpoint(path: model.write(to: folder))) }
  }

  private static let refused: [(JSON, ConfigurationError)] = [
    ("int8", .wrongType(key: "quantization_config", expected: "an object")),
    ([:], .missing(key: "quantization_config.quant_method")),
    (
      ["quant_method": "gptq", "bits": 4],
      .unsupported(key: "quantization_config.quant_method", value: "gptq")
    ),
    (
      configuration(["format": "pack-quantized"]),
      .unsupported(key: "quantization_config.format", value: "pack-quantized")
    ),
    (
      configuration(["quantization_status": "frozen"]),
      .unsupported(key: "quantization_config.quantization_status", value: "frozen")
    ),
    (
      ["quant_method": "compressed-tensors", "format": "int-quantized"],
      .missing(key: "quantization_config.quantization_status")
    ),
    (configuration(weights: ["num_bits": 4]), weightsError("num_bits", "4")),
    (configuration(weights: ["type": "float"]), weightsError("type", "float")),
    (configuration(weights: ["symmetric": false]), weightsError("symmetric", "false")),
    (configuration(weights: ["strategy": "block"]), weightsError("strategy", "block")),
    (configuration(weights: ["dynamic": true]), weightsError("dynamic", "true")),
    (configuration(weights: ["actorder": "group"]), weightsError("actorder", "group")),
    (
      configuration(["config_groups": ["g": ["format": "pack-quantized"]]]),
      .unsupported(
        key: "quantization_config.config_groups.g.format", value: "pack-quantized")
    ),
    (
      configuration(["transform_config": ["config_groups": ["u": ["type": "hadamard"]]]]),
      .unsupported(
        key: "quantization_config.transform_config.config_groups.u", value: "hadamard")
    ),
  ]

  private static func weightsError(_ key: String, _ value: String) -> ConfigurationError {
    .unsupported(key: "quantization_config.config_groups.group_0.weights.\(key)", value: value)
  }

  @Test(arguments: refused.indices)
  func otherWaysToQuantizeAreRefused(index: Int) throws {
    let (configuration, wanted) = Self.refused[index]
    var model = try quantized()
    model.set("quantization_config", configuration)
    let path = try model.write(to: folder)
    #expect(throws: ModelError.configuration(path: path + "/config.json", wanted)) {
      try LanguageModel(Checkpoint(path: path))
    }
  }

  /// compressed-tensors 0.9 to 0.20 writes an empty object or null where it has nothing to say.
  private static let empty: [JSON] = [
    configuration(["sparsity_config": [:], "transform_config": [:], "kv_cache_scheme": .null]),
    configuration(["sparsity_config": .null, "transform_config": .null, "ignore": .null]),
    configuration(["transform_config": ["config_groups": [:]], "kv_cache_scheme": [:]]),
    configuration(["config_groups": .null, "sparsity_config": ["format": "dense"]]),
    [
      "quant_method": "compressed-tensors", "sparsity_config": [:], "config_groups": [:],
      "format": "dense",
    ],
    [
      "quant_method": "compressed-tensors", "sparsity_config": .null, "config_groups": .null,
      "format": .null, "quantization_status": .null,
    ],
  ]

  @Test(arguments: empty.indices) func emptySettingsAreNone(index: Int) throws {
    var model = try quantized()
    model.set("quantization_config", Self.empty[index])
    let decoder = try LanguageModel(Checkpoint(path: model.write(to: folder)))
    #expect(!decoder.configuration.claimsCompressedWeights)
    #expect(decoder.configuration.otherActivations == nil)
  }

  // MARK: Activations

  /// The schemes of activations that `QuantizationArgs` of compressed-tensors can state, and what is not as here.
  private static let schemes: [(JSON, String?)] = [
    (.null, nil),
    (
      [
        "num_bits": 8, "type": "int", "symmetric": true, "strategy": "token", "dynamic": true,
        "group_size": .null,
      ], nil
    ),
    (["dynamic": true, "strategy": "token"], nil),
    (
      [
        "num_bits": 8, "type": "int", "symmetric": true, "strategy": "tensor", "dynamic": false,
      ], "dynamic is false"
    ),
    (["dynamic": "local", "strategy": "tensor_group"], "dynamic is local"),
    (["dynamic": true, "strategy": "tensor"], "strategy is tensor"),
    (["dynamic": true, "strategy": "group", "group_size": 128], "strategy is group"),
    (["dynamic": true, "strategy": "token", "symmetric": false], "symmetric is false"),
    (["dynamic": true, "strategy": "token", "num_bits": 4], "num_bits is 4"),
    (["dynamic": true, "strategy": "token", "type": "float"], "type is float"),
    ([:], "dynamic is false"),
  ]

  private static func configuration(activations: JSON) -> JSON {
    configuration([
      "config_groups": ["group_0": ["targets": ["Linear"], "input_activations": activations]]
    ])
  }

  @Test(arguments: schemes.indices) func activationsThatAreNotComputedAreNamed(index: Int) {
    let (scheme, difference) = Self.schemes[index]
    let fields = QuantizationFields(json: Self.configuration(activations: scheme))
    #expect(
      fields.otherActivations
        == difference.map { "quantization_config.config_groups.group_0.input_activations.\($0)" })
  }

  @Test func cachesAndOutputsThatAreRoundedAreNamed() {
    let scheme: JSON = ["num_bits": 8, "type": "float", "dynamic": false]
    #expect(
      QuantizationFields(json: Self.configuration(["kv_cache_scheme": scheme])).otherActivations
        == "quantization_config.kv_cache_scheme")
    let outputs = Self.configuration([
      "config_groups": ["g": ["targets": ["Linear"], "output_activations": scheme]]
    ])
    #expect(
      QuantizationFields(json: outputs).otherActivations
        == "quantization_config.config_groups.g.output_activations")
  }

  @Test func int8ActivationsAreRefusedWhereOthersAreAskedFor() throws {
    var model = try quantized()
    model.set(
      "quantization_config",
      Self.configuration(activations: ["strategy": "tensor", "dynamic": false]))
    let path = try model.write(to: folder)
    let (decoder, dense) = (
      try LanguageModel(Checkpoint(path: path)), try ModelFixture.tiny.decoder()
    )
    let windows = TokenWindows(count: 1, length: 4, ids: [1, 2, 3, 4])
    let error = EvaluationError.otherActivations(
      model: path,
      setting: "quantization_config.config_groups.group_0.input_activations.dynamic is false")
    #expect(throws: error) { try decoder.perplexity(of: windows, activations: .int8) }
    #expect(throws: error) {
      try decoder.generate(after: [1], count: 1, sampling: Sampling(), activations: .int8)
    }
    #expect(throws: error) {
      try dense.comparison(with: decoder, over: windows, activations: .int8)
    }
    #expect(throws: Never.self) { try decoder.perplexity(of: windows) }
    #expect(decoder.usualActivations == .float32 && dense.usualActivations == .float32)
    model.set("quantization_config", Self.configuration(activations: .null))
    let plain = try LanguageModel(Checkpoint(path: model.write(to: folder, "plain")))
    #expect(plain.usualActivations == .int8)
    #expect(throws: Never.self) { try plain.perplexity(of: windows, activations: .int8) }
  }

  @Test(arguments: ["int-quantized", "naive-quantized", nil])
  func formatsThatAreTheSameAreRead(format: String?) throws {
    var model = try quantized()
    model.set(
      "quantization_config", Self.configuration(["format": format.map(JSON.string) ?? .null]))
    #expect(throws: Never.self) { try LanguageModel(Checkpoint(path: model.write(to: folder))) }
  }
}

internal import SparseCore

/// The `quantization_config` of a config.json, as far as it decides what the stored weights stand for.
///
/// Settings of activations and caches are no obstacle to reading: ``otherActivations`` names those not followed here.
/// An empty object and null mean the same as no setting.
struct QuantizationFields {
  private static let key = "quantization_config"
  private let json: JSON

  init(json: JSON) { self.json = json }

  /// Throws where the weights are kept in another way than `Checkpoint.weight` reads.
  func check() throws(ConfigurationError) {
    guard json.object != nil else {
      throw .wrongType(key: Self.key, expected: "an object")
    }
    try require(json["quant_method"], "quant_method", in: ["compressed-tensors"])
    if let transform = object(json, "transform_config") { try refuse(transform: transform) }
    if let sparsity = object(json, "sparsity_config") {
      try require(
        sparsity["format"], "sparsity_config.format",
        in: [.null, "dense", .string(CompressedTensors.sparseFormat)])
      if groups.isEmpty { return }
    }
    if saysNothing { return }
    try requireFormat(json, "")
    // Loaders take the weights of any other status for weights that are still to be rounded.
    try require(json["quantization_status"], "quantization_status", in: ["compressed"])
    for group in groups {
      let path = "config_groups.\(group.key)."
      try requireFormat(group.value, path)
      if let weights = group.value["weights"], !weights.isNull {
        try check(weights: weights, path + "weights.")
      }
    }
  }

  /// Whether weights are said to be kept compressed.
  var claimsCompressedWeights: Bool {
    object(json, "sparsity_config")?["format"] == .string(CompressedTensors.sparseFormat)
  }

  /// The first setting by which loaders round otherwise than INT8 activations with a scale for each token;
  /// nil for none.
  var otherActivations: String? {
    for group in groups {
      let path = "\(Self.key).config_groups.\(group.key)."
      if let inputs = group.value["input_activations"], !inputs.isNull,
        let setting = Self.difference(of: inputs)
      {
        return path + "input_activations." + setting
      }
      if let outputs = group.value["output_activations"], !outputs.isNull {
        return path + "output_activations"
      }
    }
    return object(json, "kv_cache_scheme") == nil ? nil : "\(Self.key).kv_cache_scheme"
  }

  /// How a scheme differs from INT8 with a scale for each token: `KEY is VALUE`; nil where it does not.
  ///
  /// What is left out means what `QuantizationArgs` of compressed-tensors has as defaults.
  private static func difference(of scheme: JSON) -> String? {
    let wanted: [(key: String, value: JSON, fallback: JSON)] = [
      ("type", "int", "int"), ("num_bits", 8, 8), ("symmetric", true, true),
      ("dynamic", true, false), ("strategy", "token", "tensor"),
    ]
    for (key, value, fallback) in wanted {
      let found = scheme[key].map { $0.isNull ? fallback : $0 } ?? fallback
      if found != value { return "\(key) is \(found.string ?? found.text())" }
    }
    return Optional.none
  }

  /// Whether no layer is said to be quantized: what an unquantized model has.
  private var saysNothing: Bool {
    let state = [json["format"], json["quantization_status"]].compactMap(\.self)
    return groups.isEmpty && state.allSatisfy { $0.isNull || $0 == "dense" }
  }

  /// The groups of layers that are quantized alike.
  private var groups: [JSON.Member] { json["config_groups"]?.object ?? [] }

  /// An object that says something: nil where it is missing, null or empty.
  private func object(_ json: JSON, _ key: String) -> JSON? {
    guard let value = json[key], value.object?.isEmpty == false else { return Optional.none }
    return value
  }

  /// Throws for rotations of activations, which loaders would apply and a plain forward pass leaves out.
  private func refuse(transform: JSON) throws(ConfigurationError) {
    for group in transform["config_groups"]?.object ?? [] {
      throw .unsupported(
        key: "\(Self.key).transform_config.config_groups.\(group.key)",
        value: group.value["type"]?.string ?? "transform")
    }
  }

  private func check(weights: JSON, _ path: String) throws(ConfigurationError) {
    try require(weights["type"], path + "type", in: ["int"])
    try require(weights["num_bits"], path + "num_bits", in: [8])
    try require(weights["symmetric"], path + "symmetric", in: [true])
    try require(weights["dynamic"] ?? .bool(false), path + "dynamic", in: [false])
    try require(weights["strategy"], path + "strategy", in: ["channel", "group"])
    // With these the columns of a group do not lie side by side.
    try require(
      weights["actorder"] ?? .null, path + "actorder", in: [.null, false, "weight", "static"])
  }

  private func requireFormat(_ json: JSON, _ path: String) throws(ConfigurationError) {
    try require(
      json["format"] ?? .null, path + "format", in: [.null, "int-quantized", "naive-quantized"])
  }

  private func require(
    _ value: JSON?, _ path: String, in allowed: [JSON]
  ) throws(ConfigurationError) {
    guard let value else { throw .missing(key: "\(Self.key).\(path)") }
    guard allowed.contains(value) else {
      throw .unsupported(key: "\(Self.key).\(path)", value: value.string ?? value.text())
    }
  }
}

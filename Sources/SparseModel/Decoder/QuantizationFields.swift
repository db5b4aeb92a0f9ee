internal import SparseCore

/// The `quantization_config` of a config.json, as far as it decides what the stored weights stand for.
///
/// What it says of activations and caches does not: they are not part of the checkpoint.
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
    if let sparsity = sparsityConfiguration {
      try require(
        sparsity["format"], "sparsity_config.format",
        in: [.null, "dense", .string(CompressedTensors.sparseFormat)])
      if json["config_groups"] == nil { return }
    }
    try requireFormat(json, "")
    // Loaders take the weights of any other status for weights that are still to be rounded.
    try require(json["quantization_status"], "quantization_status", in: ["compressed"])
    for group in json["config_groups"]?.object ?? [] {
      let path = "config_groups.\(group.key)."
      try requireFormat(group.value, path)
      if let weights = group.value["weights"], !weights.isNull {
        try check(weights: weights, path + "weights.")
      }
    }
  }

  /// Whether weights are said to be kept compressed.
  var claimsCompressedWeights: Bool {
    sparsityConfiguration?["format"] == .string(CompressedTensors.sparseFormat)
  }

  /// The `sparsity_config`, where it is not empty.
  private var sparsityConfiguration: JSON? {
    json["sparsity_config"].flatMap { $0.object?.isEmpty == false ? $0 : nil }
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

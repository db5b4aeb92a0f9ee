internal import SparseCore

extension ConfigurationFields {
  /// The rotary embedding's base and scaling.
  ///
  /// As in transformers 5, a `rope_scaling` that is not empty stands in place of `rope_parameters`, whose base is
  /// then lost with it. A base inside either counts before the `rope_theta` beside them.
  ///
  /// - Parameter contextLength: `max_position_embeddings`, which stands in for a missing
  ///   `original_max_position_embeddings`.
  func rope(
    contextLength: Int
  ) throws(ConfigurationError) -> (theta: Double, scaling: RopeScaling) {
    let key = try ropeTable("rope_scaling") == nil ? "rope_parameters" : "rope_scaling"
    guard let table = try ropeTable(key) else { return (try ropeTheta(path: ""), .none) }
    for member in table where member.value.object != nil {
      // A table for each kind of layer.
      throw .unsupported(key: "\(key).\(member.key)", value: member.value.kind)
    }
    let inner = ConfigurationFields(json: .object(table))
    if inner.has("rope_type"), inner.value("rope_type") == nil {
      throw .wrongType(key: "\(key).rope_type", expected: "a string")
    }
    let theta =
      inner.has("rope_theta")
      ? try inner.ropeTheta(path: "\(key).") : try ropeTheta(path: "")
    let share = try inner.number("partial_rotary_factor", default: 1)
    guard share == 1 else {
      throw .unsupported(key: "\(key).partial_rotary_factor", value: "\(share)")
    }
    let kind = try inner.string(
      "rope_type", default: try inner.string("type", default: "default"))
    return (theta, try scaling(kind, inner, key: key, contextLength: contextLength))
  }

  /// `rope_theta`, in which null is no number.
  private func ropeTheta(path: String) throws(ConfigurationError) -> Double {
    let key = "rope_theta"
    if has(key), value(key) == nil { throw .wrongType(key: path + key, expected: "a number") }
    return try positiveNumber(key, default: 10_000)
  }

  private func scaling(
    _ kind: String, _ table: ConfigurationFields, key: String, contextLength: Int
  ) throws(ConfigurationError) -> RopeScaling {
    switch kind {
    case "default": return .none
    case "dynamic":
      // Only sequences beyond the context are scaled, and none is run.
      _ = try table.positiveNumber("factor")
      return .none
    case "linear": return .linear(factor: try table.positiveNumber("factor"))
    case "llama3":
      let original = "original_max_position_embeddings"
      return .llama3(
        factor: try table.positiveNumber("factor"),
        lowFactor: try table.positiveNumber("low_freq_factor"),
        highFactor: try table.positiveNumber("high_freq_factor"),
        originalContext: try positive(
          original, default: try table.positive(original, default: contextLength)))
    default: throw .unsupported(key: "\(key).rope_type", value: kind)
    }
  }

  /// The members of a table of rotary parameters; nil where it is empty or missing.
  private func ropeTable(_ key: String) throws(ConfigurationError) -> [JSON.Member]? {
    guard let value = value(key), value != false, value != [] else { return nil }
    guard let members = value.object else { throw .wrongType(key: key, expected: "an object") }
    return members.isEmpty ? nil : members
  }
}

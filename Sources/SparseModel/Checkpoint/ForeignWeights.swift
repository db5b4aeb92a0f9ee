public import SparseCore

/// Why the weights of a checkpoint are none that this package prunes, rounds or checks.
public enum ForeignWeightsError: Error, Equatable, Sendable {
  /// A linear layer is stored as `inputs × outputs`, so groups along the last dimension run along outputs.
  case transposed(tensor: String, path: String)
  /// The tensors are the factors of a low-rank adapter.
  case adapter(tensor: String, path: String)
  /// The weights are quantized in another format than INT8 of compressed-tensors.
  case quantized(format: String, evidence: String, path: String)
  /// A weight is stored in a form that only one library reads.
  case packed(tensor: String, form: String, path: String)
  /// A linear layer has an element type that is not read.
  case elementType(tensor: String, dtype: DType, path: String)
}

extension ForeignWeightsError: CustomStringConvertible {
  /// One line: the path, the tensor, and what is wrong with it.
  public var description: String {
    switch self {
    case .transposed(let tensor, let path):
      "\(path): tensor '\(tensor)' is stored as inputs × outputs, as GPT-2's are:"
        + " groups of four would run along outputs, which no sparse kernel takes"
    case .adapter(let tensor, let path):
      "\(path): tensor '\(tensor)' belongs to a LoRA adapter, not to a model: merge the adapter into its base model first"
    case .quantized(let format, let evidence, let path):
      "\(path): the weights are quantized already, by \(format) (\(evidence)): start from the checkpoint in floating point"
    case .packed(let tensor, let form, let path):
      "\(path): tensor '\(tensor)' is a 2:4 weight packed for \(form): start from the model that it was exported from"
    case .elementType(let tensor, let dtype, let path):
      "\(path): tensor '\(tensor)' is \(dtype.rawValue): weights are pruned and rounded in F32, F16 and BF16"
    }
  }
}

extension Checkpoint {
  /// Throws for a checkpoint that has no linear layers with groups of four along the last dimension: a LoRA adapter,
  /// or layers stored as `inputs × outputs`.
  func requireLinears() throws {
    if let factor = tensors.first(where: { WeightName($0.name).isAdapter }) {
      throw ForeignWeightsError.adapter(tensor: factor.name, path: path)
    }
    if let tensor = try transposedLinear() {
      throw ForeignWeightsError.transposed(tensor: tensor, path: path)
    }
  }

  /// Throws for weights in a form that has to be undone before they can be pruned or rounded.
  func requireUnpacked() throws {
    for form in PackedForm.all {
      if let weight = form.weights(in: self).first {
        throw ForeignWeightsError.packed(tensor: weight.tensor, form: form.reader, path: path)
      }
    }
  }

  /// The families whose linear layers are `Conv1D` modules of transformers.
  private static let transposedFamilies = [
    "gpt2", "openai-gpt", "imagegpt", "decision_transformer",
  ]

  /// The first linear layer that is stored as `inputs × outputs`; nil where there is none.
  ///
  /// config.json tells by the family, and so does a bias as long as the weight is wide. Where neither does, a layer's
  /// name and shape do: a fused query, key and value is three times as wide as it is high.
  private func transposedLinear() throws -> String? {
    let matrices = try modelTensors().filter { tensor in
      tensor.shape.count == 2 && tensor.name.hasSuffix(".weight")
        && WeightName(tensor.name).isInBlock
    }
    if let first = matrices.first(where: { WeightName($0.name).isConv1D }), try isTransposedFamily()
    {
      return first.name
    }
    return matrices.first { tensor in
      let (outputs, inputs) = (tensor.shape[0], tensor.shape[1])
      let bias = self[String(tensor.name.dropLast("weight".count)) + "bias"]?.shape
      if outputs != inputs, let bias { return bias == [inputs] }
      return WeightName(tensor.name).isConv1D(of: tensor.shape)
    }?.name
  }

  private func isTransposedFamily() throws -> Bool {
    guard let json = try configurationJSON() else { return false }
    let parts = ["text_config", "decoder", "llm_config", "language_config"].compactMap { json[$0] }
    return ([json] + parts).contains { part in
      part["model_type"]?.string.map(Self.transposedFamilies.contains) ?? false
    }
  }

  // MARK: Quantized by others

  /// Files in which some tools say how they have quantized the weights beside them.
  private static let quantizationFiles = [
    ("quantize_config.json", "gptq"), ("quant_config.json", "awq"),
    ("hf_quant_config.json", "modelopt"),
  ]
  /// What the names of tensors of quantized weights end with, in the order in which they tell formats apart.
  private static let quantizedEndings = [
    (".weight.quant_state.bitsandbytes__nf4", "bitsandbytes"),
    (".weight.quant_state.bitsandbytes__fp4", "bitsandbytes"), (".weight.absmax", "bitsandbytes"),
    (".SCB", "bitsandbytes"), (".weight_packed", "compressed-tensors 'pack-quantized'"),
    (".qweight", "GPTQ or AWQ"), (".qzeros", "GPTQ or AWQ"),
    (".weight_scale_inv", "FP8 with block scales"), ("_proj_blocks", "MXFP4"),
    (".weight_scale_2", "NVFP4"), (".B", "Marlin"),
  ]

  /// How the weights are quantized by a format that is not read here; nil where they are not.
  func foreignQuantization() throws -> ForeignWeightsError? {
    for (ending, format) in Self.quantizedEndings {
      guard let tensor = tensors.first(where: { $0.name.hasSuffix(ending) }) else { continue }
      // Marlin's name is short: only its type tells it apart.
      if ending == ".B" && tensor.dtype != .i32 { continue }
      let method = try quantizationMethod() ?? format
      return .quantized(format: method, evidence: "tensor '\(tensor.name)'", path: path)
    }
    for (file, format) in Self.quantizationFiles where pathBeside(file) != nil {
      return .quantized(format: format, evidence: file, path: path)
    }
    return nil
  }

  /// The `quant_method` of config.json; nil where it says nothing of it.
  private func quantizationMethod() throws -> String? {
    try configurationJSON()?["quantization_config"]?["quant_method"]?.string.map { "'\($0)'" }
  }

  /// Throws where the checkpoint's weights, or its config.json, are quantized in any way but that of
  /// `QuantizationFields`: rounding others beside them would take away what says how to read them.
  func requireUnquantized() throws {
    if let json = try configurationJSON()?["quantization_config"], json.object?.isEmpty == false {
      do throws(ConfigurationError) {
        try QuantizationFields(json: json).check()
      } catch {
        throw ModelError.configuration(path: configPath ?? folder, error)
      }
    }
    if let error = try foreignQuantization() { throw error }
    if let scaled = tensors.first(where: { isFP8(tensor: $0) }) {
      throw ForeignWeightsError.quantized(
        format: scaled.dtype.rawValue, evidence: "tensor '\(scaled.name)'", path: path)
    }
  }

  private func isFP8(tensor: Tensor) -> Bool {
    tensor.dtype.rawValue.hasPrefix("F8_") && tensor.shape.count >= 2
  }

  /// Why a checkpoint has no weight to work on.
  func noCandidates() throws -> any Error {
    if let error = try foreignQuantization() { return error }
    let other = try roles(of: { _ in true }).first { $0.role == .linear }
    if let tensor = other?.tensor, !tensor.dtype.holdsWeights {
      return ForeignWeightsError.elementType(tensor: tensor.name, dtype: tensor.dtype, path: path)
    }
    return SelectionError.noCandidates(path: path)
  }
}

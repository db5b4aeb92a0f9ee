public import SparseCore

/// What a weight does in its model, as far as its name and shape tell.
///
/// Names and shapes are those of the model families on public hubs. Only a ``linear`` is pruned or rounded.
enum WeightRole: String, Sendable, CaseIterable {
  /// A linear layer inside a numbered decoder block: `outputs × inputs`.
  case linear = "linear layer"
  /// A table of token embeddings, a norm, or a layer outside the blocks: left alone as a rule, and never worth a word.
  case ordinary = "other weight"
  /// What chooses the experts of a token.
  case router = "router"
  /// What scales a shared expert's output, or the steps of a recurrence.
  case gate = "expert or recurrence gate"
  /// A part of a model that reads images, audio or video.
  case tower = "vision or audio weight"
  /// What maps a tower's outputs to the width of the decoder.
  case projector = "projector weight"
  /// A table of biases or embeddings by position.
  case position = "position table"
  /// A convolution kernel.
  case convolution = "convolution"
  /// The experts of a block in one tensor of three dimensions.
  case stackedExperts = "stacked expert tensor"
  /// A block that predicts tokens after the next one.
  case prediction = "multi-token-prediction weight"
  /// A layer of an output head with several layers.
  case head = "head weight"

  /// The role of a tensor.
  ///
  /// - Parameter hasExperts: whether any tensor of the checkpoint belongs to an expert.
  init(name: String, shape: [Int], hasExperts: Bool) {
    let parts = name.lowercased().split(separator: ".").map(String.init)
    let module = parts.last == "weight" ? parts.dropLast() : parts[...]
    func has(_ words: [String]) -> Bool {
      module.contains { part in words.contains { part.contains($0) } }
    }
    func begins(_ words: [String]) -> Bool {
      module.contains { part in words.contains { part == $0 || part.hasPrefix($0 + "_") } }
    }
    let last = module.last ?? ""
    if has(["projector", "modality_projection"])
      || begins(["connector", "aligner", "resampler", "perceiver", "mm_projection"])
    {
      self = .projector
    } else if begins(Self.towers) {
      self = .tower
    } else if begins(["mtp", "nextn"]) {
      self = .prediction
    } else if has([
      "relative_attention_bias", "relative_position", "rel_pos", "position_bias", "pos_emb",
      "position_embedding", "embed_positions",
    ]) {
      self = .position
    } else if last.contains("norm") || has(["embed"]) || ["wte", "wpe"].contains(last) {
      self = .ordinary
    } else if last == "router" || module.dropLast().contains("router")
      || ["wg", "moe_gate"].contains(last) && module.contains("gate") || last == "moe_gate"
      || last == "gate" && (hasExperts || has(["moe"]) || Self.isNarrow(shape))
    {
      self = .router
    } else if last.hasSuffix("expert_gate") || last.hasSuffix("experts_gate")
      || ["in_proj_a", "in_proj_b", "in_proj_ba"].contains(last)
    {
      self = .gate
    } else if last.contains("conv1d") || last.contains("conv2d") || last == "conv"
      || shape.count > 3
    {
      self = .convolution
    } else if shape.count == 3 {
      self = Self.isInBlock(module) ? .stackedExperts : .ordinary
    } else if module.contains(where: { $0.allSatisfy(\.isNumber) })
      && (begins(["head", "heads"])
        || module.contains { $0.hasSuffix("_head") || $0.hasSuffix("_heads") })
    {
      self = .head
    } else {
      self = Self.isInBlock(module) ? .linear : .ordinary
    }
  }

  /// What the names of towers begin with.
  private static let towers = [
    "vision", "visual", "audio", "speech", "image", "img", "video", "vit", "vpm", "apm", "clip",
    "siglip", "sam", "whisper", "token2wav", "code2wav",
  ]

  /// Whether a weight has far fewer outputs than inputs, as a router's one output for each expert.
  private static func isNarrow(_ shape: [Int]) -> Bool {
    shape.count == 2 && shape[0] * 4 <= shape[1]
  }

  /// Whether a module belongs to a numbered block: `layers.3.mlp.up_proj`, or `layers.3` itself.
  ///
  /// A number of another kind of list counts where a module of several parts follows: `mm_projector.0` is no block.
  private static func isInBlock(_ module: ArraySlice<String>) -> Bool {
    module.indices.contains { place in
      guard module[place].allSatisfy(\.isNumber) else { return false }
      let isList =
        place > module.startIndex
        && ["layers", "layer", "h", "blocks", "block"].contains(module[place - 1])
      return isList || module.endIndex - place > 1
    }
  }
}

/// Weights of one kind that a run leaves as they are.
public struct LeftAlone: Sendable, Equatable {
  /// What they are, a noun in the singular: `router`, `projector weight`, `F8_E4M3 weight`.
  public let kind: String
  /// How many there are.
  public let count: Int
  /// The name of the first.
  public let first: String

  /// The weights as reports show them.
  public var json: JSON {
    ["kind": .string(kind), "count": .integer(count), "first": .string(first)]
  }
}

extension LeftAlone: CustomStringConvertible {
  /// The number, the kind and an example: `4 routers (model.layers.0.mlp.gate.weight, …)`.
  public var description: String {
    "\(count.counting(kind)) (\(first)\(count > 1 ? ", …" : ""))"
  }
}

extension Checkpoint {
  /// Whether any tensor belongs to an expert, by its name.
  private var hasExperts: Bool { tensors.contains { $0.name.lowercased().contains("expert") } }

  /// The tensors of the model with two dimensions or more that are weights, and their roles.
  ///
  /// - Parameter types: which element types count.
  func roles(
    of types: (DType) -> Bool
  ) throws -> [(tensor: ModelTensor, role: WeightRole)] {
    let (hasExperts, prediction) = (hasExperts, PredictionBlocks(of: self))
    return try modelTensors().filter { tensor in
      tensor.shape.count >= 2 && types(tensor.dtype)
        && (tensor.name.hasSuffix(".weight") || tensor.shape.count == 3
          || !tensor.name.contains("."))
    }.map { tensor in
      let role = WeightRole(name: tensor.name, shape: tensor.shape, hasExperts: hasExperts)
      return (tensor, role == .linear && prediction.contains(tensor.name) ? .prediction : role)
    }
  }

  /// What pruning and rounding leave as it is though it is a weight of two dimensions or more, kind by kind in the
  /// order of the first.
  ///
  /// Embeddings, norms and layers outside the blocks are not listed.
  public func leftAlone() throws -> [LeftAlone] {
    var kinds: [(kind: String, names: [String])] = []
    for (tensor, role) in try roles(of: { $0.bits >= 8 && $0 != .bool }) {
      let kind: String
      switch role {
      case .ordinary: continue
      case .linear where tensor.dtype.holdsWeights: continue
      case .linear: kind = "\(tensor.dtype.rawValue) weight"
      default: kind = role.rawValue
      }
      if let place = kinds.firstIndex(where: { $0.kind == kind }) {
        kinds[place].names.append(tensor.name)
      } else {
        kinds.append((kind, [tensor.name]))
      }
    }
    return kinds.map { LeftAlone(kind: $0.kind, count: $0.names.count, first: $0.names[0]) }
  }
}

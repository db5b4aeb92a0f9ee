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
  /// A table inside a block, of biases by position for example.
  case position = "position or embedding table"
  /// A convolution kernel.
  case convolution = "convolution"
  /// The experts of a block in one tensor of three dimensions.
  case stackedExperts = "stacked expert tensor"
  /// A block that predicts tokens after the next one.
  case prediction = "multi-token-prediction weight"
  /// A layer of an output head that is a numbered block.
  case head = "head weight"

  /// The role of a tensor.
  ///
  /// - Parameter hasExperts: whether the module around the weight's own has experts, too.
  init(name: String, shape: [Int], hasExperts: Bool) {
    let weight = WeightName(name)
    if let foreign = weight.foreignPart {
      self = foreign
    } else if weight.isPrediction {
      self = .prediction
    } else if !weight.isInBlock {
      self = weight.isListed ? .linear : .ordinary
    } else if weight.isHead {
      self = .head
    } else if weight.parts.contains(where: { $0.lowercased().contains("norm") }) {
      self = .ordinary
    } else if weight.isStackOfExperts(shape) {
      self = .stackedExperts
    } else if weight.isConvolution {
      self = .convolution
    } else if shape.count != 2 {
      self = .ordinary
    } else if weight.isEmbedding {
      self = .position
    } else if weight.isRecurrenceGate || weight.isExpertGate {
      self = .gate
    } else if weight.isRouter || weight.isPlainGate && (hasExperts || shape[0] <= shape[1]) {
      self = .router
    } else {
      self = .linear
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
  /// The tensors of the model with two dimensions or more that are weights, and their roles.
  ///
  /// - Parameter types: which element types count.
  func roles(
    of types: (DType) -> Bool
  ) throws -> [(tensor: ModelTensor, role: WeightRole)] {
    let tensors = try modelTensors()
    let parents = Set(tensors.compactMap { WeightName($0.name).parentOfExperts })
    let prediction = PredictionBlocks(of: self)
    return tensors.filter { tensor in
      tensor.shape.count >= 2 && types(tensor.dtype)
        && (tensor.name.hasSuffix(".weight") || tensor.shape.count == 3
          || !tensor.name.contains("."))
    }.map { tensor in
      let role = WeightRole(
        name: tensor.name, shape: tensor.shape,
        hasExperts: parents.contains(WeightName(tensor.name).parent))
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

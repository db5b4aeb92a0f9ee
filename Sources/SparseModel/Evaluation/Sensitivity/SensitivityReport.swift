public import SparseCore

/// What is changed together when sensitivity is measured.
public enum SensitivityUnit: String, Sendable, CaseIterable {
  /// All linear layers of a decoder block.
  case block
  /// The linear layers of a block that read the same input.
  case stage
  /// One linear layer.
  case linear
}

/// What a change to one part of a model costs, all other parts left as they are.
public struct Sensitivity: Sendable, Equatable {
  /// The weight's name, or `block 3` or `block 3, gate-up` for several.
  public let name: String
  /// The number of the decoder block.
  public let block: Int
  /// The names of the weights that were changed.
  public let layers: [String]
  /// The number of weights in them.
  public let weights: Int
  /// ‖X(W−W′)ᵀ‖ / ‖XWᵀ‖ over all layers, on the calibration inputs.
  public let relativeError: Double
  /// The root of the mean over held-out tokens of ‖Δh‖² / ‖h‖², h the residual stream after the block.
  public let blockError: Double
  /// The mean of KL(dense ‖ changed) over held-out predictions, in nats; nil where only errors were measured.
  public let divergence: Double?
  /// By how much the mean negative log-likelihood of the held-out text rises, in nats; nil likewise.
  public let lossIncrease: Double?

  /// What parts are ranked by, the larger the worse: the divergence, else the square of the block's error, which it grows with.
  public var score: Double { divergence ?? blockError * blockError }

  /// The part as an object of the `sensitivity` contract.
  public var json: JSON {
    [
      "name": .string(name), "block": .integer(block), "layers": .array(layers.map(JSON.string)),
      "weights": .integer(weights), "relativeError": .number(relativeError),
      "blockError": .number(blockError), "divergence": divergence.map(JSON.number) ?? .null,
      "lossIncrease": lossIncrease.map(JSON.number) ?? .null,
    ]
  }

  init(
    name: String, block: Int, layers: [String], weights: Int, relativeError: Double,
    blockError: Double, divergence: Double?, lossIncrease: Double?
  ) {
    self.name = name
    self.block = block
    self.layers = layers
    self.weights = weights
    self.relativeError = relativeError
    self.blockError = blockError
    self.divergence = divergence
    self.lossIncrease = lossIncrease
  }

  init?(_ json: JSON) {
    guard let name = json["name"]?.string, let block = json["block"]?.int,
      let layers = json["layers"]?.array?.map(\.string), !layers.isEmpty, !layers.contains(nil),
      let weights = json["weights"]?.int, (1...1 << 53).contains(weights),
      let relativeError = json["relativeError"]?.double,
      let blockError = json["blockError"]?.double,
      relativeError.isFinite, blockError.isFinite,
      let divergence = json["divergence"], let lossIncrease = json["lossIncrease"],
      divergence == .null || divergence.double?.isFinite == true,
      lossIncrease == .null || lossIncrease.double?.isFinite == true
    else { return nil }
    self.init(
      name: name, block: block, layers: layers.compactMap { $0 }, weights: weights,
      relativeError: relativeError, blockError: blockError, divergence: divergence.double,
      lossIncrease: lossIncrease.double)
  }
}

/// How sensitive the parts of a model are to pruning or quantizing.
public struct SensitivityReport: Sendable {
  /// The model's path.
  public let model: String
  /// What was done to each part: the method's name, `none` for quantizing alone.
  public let method: String
  /// Whether weights became INT8.
  public let isQuantized: Bool
  /// What was changed together.
  public let unit: SensitivityUnit
  /// Whether the output distribution was left out, so that parts are ranked by the errors of their blocks.
  public let isFast: Bool
  /// The calibration; nil where the change needs none.
  public let calibration: Manifest.Calibration?
  /// Where the held-out text is from: `self` or a file's path.
  public let heldOut: String
  /// The number of windows of the held-out text and of the tokens in each.
  public let heldOutSize: (windows: Int, length: Int)
  /// The dense model's perplexity on the held-out text; nil where only errors were measured.
  public let dense: Perplexity?
  /// Seconds from the start to the end, of this run alone where an earlier one was gone on with.
  public let seconds: Double
  /// The most memory that the process has held, in bytes.
  public let peakResidentBytes: Int
  /// The parts in the order in which the model runs them.
  public let parts: [Sensitivity]

  /// The parts, the most sensitive first; of equal ones the first of the model.
  public var ranked: [Sensitivity] {
    parts.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
      .map(\.element)
  }

  /// The perplexity that the dense model would have on the held-out text with this part changed.
  ///
  /// The change is measured on every second token.
  public func perplexity(_ part: Sensitivity) -> Double? {
    dense.flatMap { dense in
      part.lossIncrease.map { Math.exponential(dense.meanNegativeLogLikelihood + $0) }
    }
  }

  /// The report as the `sensitivity` contract has it.
  public var json: JSON {
    [
      "schema": 1, "model": .string(model), "method": .string(method),
      "quantization": isQuantized ? "int8" : .null, "by": .string(unit.rawValue),
      "fast": .bool(isFast), "calibration": calibration?.json ?? .null,
      "heldOut": [
        "source": .string(heldOut), "windows": .integer(heldOutSize.windows),
        "length": .integer(heldOutSize.length),
      ],
      "dense": dense?.json ?? .null, "seconds": .number(seconds),
      "peakResidentBytes": .integer(peakResidentBytes),
      "parts": .array(
        parts.map { part in
          guard case .object(var members) = part.json else { return part.json }
          members.append(
            JSON.Member(
              key: "perplexity", value: perplexity(part).map(JSON.number) ?? .null))
          return .object(members)
        }),
    ]
  }
}

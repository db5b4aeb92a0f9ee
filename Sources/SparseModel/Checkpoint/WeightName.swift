/// A tensor's name, taken apart as the checkpoints on the hub put such names together.
///
/// `model.layers.3.mlp.gate.weight` is the ending `weight` of the module `gate`, in the block `model.layers.3`.
struct WeightName {
  /// The modules' names, outermost first, without an ending like `weight`.
  let parts: [String]
  /// The modules before the first block number, in lower case; all modules where there is no block.
  private let prefix: [String]
  /// The modules after the first block number, in lower case; none outside of blocks.
  ///
  /// A block number is a number with modules inside: `mm_projector.0` is none.
  let blockParts: [String]
  /// Whether the name ends with `.weight`, or has no dots at all.
  let isWeight: Bool

  init(_ name: String) {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    isWeight = parts.count == 1 || parts.last == "weight"
    if isWeight && parts.count > 1 { parts.removeLast() }
    self.parts = parts
    let lower = parts.map { $0.lowercased() }
    let number = lower.dropLast().firstIndex { !$0.isEmpty && $0.allSatisfy(\.isNumber) }
    prefix = number.map { Array(lower[..<$0]) } ?? lower
    blockParts = number.map { Array(lower[($0 + 1)...]) } ?? []
  }

  /// Whether the weight is in a numbered block of any model.
  var isInBlock: Bool { !blockParts.isEmpty }

  /// The module that the weight's own module is in.
  var parent: String { parts.dropLast().joined(separator: ".") }

  /// The module that `experts` is in; nil for names without it.
  var parentOfExperts: String? {
    parts.firstIndex(of: "experts").map { parts[..<$0].joined(separator: ".") }
  }

  private var last: String { blockParts.last ?? "" }

  // MARK: Beside the decoder

  private static let towers: Set<String> = [
    "vision", "visual", "image", "img", "video", "vit", "siglip", "sam", "pixtral", "vqmodel",
    "audio", "speech", "sound", "acoustic", "voice", "talker", "code2wav", "token2wav",
  ]
  private static let projectors: Set<String> = [
    "projector", "connector", "resampler", "aligner", "merger", "perceiver", "qformer",
    "abstractor",
    "adapter", "adaptor",
  ]
  private static let languages: Set<String> = ["language", "llm"]

  /// The other model, beside the decoder, that the weight is a part of.
  ///
  /// The innermost of the modules before the block number decides.
  var foreignPart: WeightRole? {
    for part in prefix.reversed() {
      if !Self.words(part).isDisjoint(with: Self.languages) { return nil }
      if let kind = Self.foreignPart(part) { return kind }
    }
    return nil
  }

  /// What a module of that name is, beside a decoder.
  private static func foreignPart(_ part: String) -> WeightRole? {
    let words = words(part)
    let projects = !words.isDisjoint(with: ["proj", "projection"])
    if !words.isDisjoint(with: projectors) || projects && words.contains("modality") {
      return .projector
    }
    return words.isDisjoint(with: towers) ? nil : projects ? .projector : .tower
  }

  /// Whether the weight is in a block that predicts tokens after the next one.
  var isPrediction: Bool { prefix.contains("mtp") || prefix.contains("nextn") }

  /// Whether the weight is itself an entry of a numbered list of layers, as `layers.3` is.
  var isListed: Bool {
    guard parts.count > 1, let number = parts.last, number.allSatisfy(\.isNumber) else {
      return false
    }
    return ["layers", "layer", "h", "blocks", "block"].contains(parts[parts.count - 2].lowercased())
  }

  // MARK: Inside a block

  /// Whether it scales the output of a shared expert.
  var isExpertGate: Bool { last.hasSuffix("expert_gate") || last.hasSuffix("experts_gate") }

  /// Whether it chooses among experts, by its name.
  var isRouter: Bool {
    let gates: Set<String> = ["gate", "gating"]
    let experts: Set<String> = ["expert", "experts", "moe", "network"]
    return last == "wg"
      || blockParts.contains { part in
        let words = Self.words(part)
        return words.contains("router") || words.contains("gating")
          || (!words.isDisjoint(with: gates) && !words.isDisjoint(with: experts))
      }
  }

  /// Whether it is called a gate and no more, as routers and the gates of some MLPs are.
  var isPlainGate: Bool { last == "gate" }

  /// Whether it holds one number for each head of a recurrence: `in_proj_a` of the gated delta rule, for example.
  var isRecurrenceGate: Bool {
    ["in_proj_a", "in_proj_b", "in_proj_ba", "a_proj", "b_proj", "beta_proj"].contains(last)
  }

  /// Whether it is a table that is looked up.
  var isEmbedding: Bool {
    ["wte", "wpe"].contains(last)
      || blockParts.contains { part in
        let words = Self.words(part)
        return part.contains("embed") || words.contains("emb") || words.contains("rpe")
          || (words.contains("relative") || words.contains("rel") || words.contains("position")
            || words.contains("pos")) && (words.contains("bias") || words.contains("table"))
      }
  }

  /// Whether it is convolved with.
  var isConvolution: Bool { last.contains("conv") }

  /// Whether it gives logits.
  var isHead: Bool {
    let heads: Set<String> = [
      "lm_head", "head", "classifier", "score", "embed_out", "medusa_head", "shared_head",
    ]
    return heads.contains(last) || prefix.contains { heads.contains($0) }
  }

  /// Whether a tensor of this shape holds the weights of all experts of a block.
  func isStackOfExperts(_ shape: [Int]) -> Bool {
    let isBias = last.hasSuffix("bias")
    if shape.count == 2 { return !isWeight && !isBias && blockParts.dropLast().last == "experts" }
    return shape.count == 3 && shape.allSatisfy { $0 > 1 } && !isBias && !isConvolution
  }

  private static func words(_ part: String) -> Set<String> {
    Set(part.split(separator: "_").map(String.init))
  }
}

extension WeightName {
  /// Whether the tensor belongs to an adapter that another model needs, as LoRA makes it.
  var isAdapter: Bool {
    let starts = ["lora_", "hada_w", "lokr_w", "ia3_", "vera_lambda", "oft_", "boft_"]
    return parts.contains { part in starts.contains { part.hasPrefix($0) } }
  }

  /// Whether the layer is one of those that GPT-2 keeps as inputs × outputs.
  var isConv1D: Bool {
    guard let layer = parts.last else { return false }
    return ["c_attn", "q_attn", "c_proj", "c_fc"].contains(layer)
  }

  /// Whether the shape is what that layer has where it is kept as inputs × outputs.
  func isConv1D(of shape: [Int]) -> Bool {
    switch parts.suffix(2).joined(separator: ".") {
    case "attn.c_attn": shape[1] == 3 * shape[0]
    case "mlp.c_fc": shape[1] > shape[0]
    case "mlp.c_proj": shape[0] > shape[1]
    default: false
    }
  }
}

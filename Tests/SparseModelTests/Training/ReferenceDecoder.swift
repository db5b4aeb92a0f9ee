internal import SparseCore
internal import TestSupport

@testable internal import SparseModel

/// A whole decoder of the Llama family in float64, written from the formulas.
struct ReferenceDecoder {
  private let configuration: ModelConfiguration
  /// The weights by their names in the checkpoint; vectors are matrices of one row.
  var weights: [String: Matrix64]

  /// A model with the weights of some tensors that are trained: all of a model's.
  init(_ configuration: ModelConfiguration, _ parameters: TrainingParameters) {
    self.configuration = configuration
    weights = Dictionary(
      uniqueKeysWithValues: zip(parameters.names, parameters.values.map { Matrix64($0) }))
  }

  private subscript(name: String) -> Matrix64 {
    weights[name] ?? Matrix64(rows: 0, columns: 0)
  }

  /// The logits of windows, all tokens' one after the other.
  func logits(_ windows: TokenWindows) -> Matrix64 {
    let embedding = self["model.embed_tokens.weight"]
    var hidden = Reference.gather(windows.ids, of: embedding)
    for block in 0..<configuration.blocks {
      hidden = run(block, hidden, length: windows.length)
    }
    let output = configuration.tiesEmbeddings ? embedding : self["lm_head.weight"]
    return Reference.linear(norm(hidden, "model.norm.weight"), output)
  }

  /// The sums of all tokens' divergences and negative log-likelihoods.
  func losses(_ windows: TokenWindows, teacher: Matrix64) -> [Double] {
    let logits = logits(windows)
    let targets = (0..<windows.count).flatMap { window in
      windows[window].dropFirst().map(Optional.some) + [nil]
    }
    return [
      Reference.divergences(logits, teacher: teacher).reduce(0, +),
      Reference.negativeLogLikelihoods(logits, targets: targets).reduce(0, +),
    ]
  }

  private func run(_ block: Int, _ hidden: Matrix64, length: Int) -> Matrix64 {
    let prefix = "model.layers.\(block)."
    let x = norm(hidden, prefix + "input_layernorm.weight")
    let attention = Reference.causalAttention(
      queries: rotate(linear(x, prefix + "self_attn.q_proj"), length: length),
      keys: rotate(linear(x, prefix + "self_attn.k_proj"), length: length),
      values: linear(x, prefix + "self_attn.v_proj"), sequenceLength: length,
      heads: configuration.heads, keyValueHeads: configuration.keyValueHeads)
    let middle = hidden + linear(attention, prefix + "self_attn.o_proj")
    let y = norm(middle, prefix + "post_attention_layernorm.weight")
    let gated = Reference.siluMultiply(
      gate: linear(y, prefix + "mlp.gate_proj"), up: linear(y, prefix + "mlp.up_proj"))
    return middle + linear(gated, prefix + "mlp.down_proj")
  }

  private func linear(_ x: Matrix64, _ name: String) -> Matrix64 {
    Reference.linear(x, self[name + ".weight"], bias: weights[name + ".bias"])
  }

  private func norm(_ x: Matrix64, _ name: String) -> Matrix64 {
    Reference.rmsNorm(x, weight: self[name].values, epsilon: Double(configuration.normEpsilon))
  }

  private func rotate(_ x: Matrix64, length: Int) -> Matrix64 {
    let frequencies = RotaryTable.frequencies(of: configuration)
    func table(_ value: (Double) -> Double) -> Matrix64 {
      Matrix64(
        rows: length, columns: frequencies.count,
        (0..<length).flatMap { position in frequencies.map { value(Double(position) * $0) } })
    }
    return Reference.rotate(
      x, headWidth: configuration.headWidth, cosines: table(Math.cosine), sines: table(Math.sine),
      sequenceLength: length)
  }
}

internal import SparseCore

/// A block of the Llama family: RMSNorm, rotary grouped-query attention, gated SiLU MLP.
///
/// ```text
/// x ─ norm ─ q,k,v ─ rotate ─ attention ─ o ─(+ x)─ norm ─ gate,up ─ silu(gate)·up ─ down ─(+)─
/// ```
struct LlamaBlock: DecoderBlock {
  static let stages = [
    Stage(
      index: 0, name: "qkv", linears: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
    Stage(index: 1, name: "o", linears: ["self_attn.o_proj"]),
    Stage(index: 2, name: "gate-up", linears: ["mlp.gate_proj", "mlp.up_proj"]),
    Stage(index: 3, name: "down", linears: ["mlp.down_proj"]),
  ]

  private static let attentionNorm = "input_layernorm.weight"
  private static let mlpNorm = "post_attention_layernorm.weight"

  private let index: Int
  private let prefix: String
  let configuration: ModelConfiguration
  let rotary: RotaryTable
  private var attentionNorm: [Float]  // width
  private var mlpNorm: [Float]  // width
  private let layers: [String: LinearLayer]

  init(index: Int, configuration: ModelConfiguration, tensors: ModelTensors) throws {
    self.index = index
    self.configuration = configuration
    prefix = tensors.names.block(index)
    let width = configuration.width
    attentionNorm = try tensors.vector(prefix + Self.attentionNorm, count: width)
    mlpNorm = try tensors.vector(prefix + Self.mlpNorm, count: width)

    var layers: [String: LinearLayer] = [:]
    for shape in Self.shapes(of: configuration).linears {
      layers[shape.name] = try tensors.linear(
        prefix + shape.name, outputs: shape.outputs, inputs: shape.inputs, hasBias: shape.hasBias)
    }
    self.layers = layers
    rotary = try tensors.rotary()
  }

  /// The tensors that a configuration gives a block.
  static func shapes(of configuration: ModelConfiguration) -> BlockShapes {
    let width = configuration.width
    let queryWidth = configuration.heads * configuration.headWidth
    let keyWidth = configuration.keyValueHeads * configuration.headWidth
    let mlpWidth = configuration.mlpWidth
    let qkvBias = configuration.hasQueryKeyValueBias
    let mlpBias = configuration.hasMLPBias
    let linears: [BlockShapes.Linear] = [
      .init(name: "self_attn.q_proj", outputs: queryWidth, inputs: width, hasBias: qkvBias),
      .init(name: "self_attn.k_proj", outputs: keyWidth, inputs: width, hasBias: qkvBias),
      .init(name: "self_attn.v_proj", outputs: keyWidth, inputs: width, hasBias: qkvBias),
      .init(
        name: "self_attn.o_proj", outputs: width, inputs: queryWidth,
        hasBias: configuration.hasAttentionOutputBias),
      .init(name: "mlp.gate_proj", outputs: mlpWidth, inputs: width, hasBias: mlpBias),
      .init(name: "mlp.up_proj", outputs: mlpWidth, inputs: width, hasBias: mlpBias),
      .init(name: "mlp.down_proj", outputs: width, inputs: mlpWidth, hasBias: mlpBias),
    ]
    return BlockShapes(linears: linears, norms: [width, width])
  }

  func linear(_ name: String) -> LinearLayer {
    guard let layer = layers[name] else { preconditionFailure("LlamaBlock has no linear \(name)") }
    return layer
  }

  func input(of stage: Stage, from state: BlockState, on compute: Compute) -> Matrix {
    switch stage.index {
    case 0: return norm(state.hidden, attentionNorm, on: compute)
    case 2: return norm(state.hidden, mlpNorm, on: compute)
    default:
      guard let pending = state.pending else {
        preconditionFailure("LlamaBlock: the stage before \(stage.name) is not finished")
      }
      return pending
    }
  }

  func finish(
    _ stage: Stage, outputs: consuming [Matrix], state: inout BlockState, on compute: Compute
  ) {
    switch stage.index {
    case 0:
      let values = outputs.removeLast()  // tokens × keyValueHeads · headWidth
      var keys = outputs.removeLast()
      var queries = outputs.removeLast()  // tokens × heads · headWidth
      state.pending = attention(&queries, &keys, values, state.positions, on: compute)
    case 2:
      let up = outputs.removeLast()  // tokens × mlpWidth
      siluMultiply(gate: &outputs[0], up: up, on: compute)
      state.pending = outputs.removeLast()
    default:
      add(outputs[0], to: &state.hidden, on: compute)
      state.pending = nil
    }
  }

  func finishBytes(of stage: Stage, tokens: Int, length: Int, threads: Int) -> Int {
    guard stage.index == 0 else { return 0 }
    return causalAttentionBytes(
      sequences: (tokens + length - 1) / length, sequenceLength: length,
      keyValueHeads: configuration.keyValueHeads, headWidth: configuration.headWidth,
      threads: threads)
  }

  func channelFreedom(of stage: Stage) -> ChannelFreedom? {
    switch stage.index {
    case 1:
      // A head of values is shared by neighbouring query heads, and each reads it in the same order.
      let (width, sharing) = (
        configuration.headWidth, configuration.heads / configuration.keyValueHeads
      )
      let domains = (0..<configuration.keyValueHeads).map { head in
        ChannelDomain(
          channels: width, columns: (0..<sharing).map { (head * sharing + $0) * width },
          row: head * width)
      }
      return ChannelFreedom(domains: domains, producers: ["self_attn.v_proj"])
    case 3:
      let domain = ChannelDomain(channels: configuration.mlpWidth, columns: [0], row: 0)
      return ChannelFreedom(domains: [domain], producers: ["mlp.gate_proj", "mlp.up_proj"])
    default: return nil
    }
  }

  func inputNorm(of stage: Stage) -> String? {
    switch stage.index {
    case 0: prefix + Self.attentionNorm
    case 2: prefix + Self.mlpNorm
    default: nil
    }
  }

  subscript(norm name: String) -> [Float] {
    get { name == inputNorm(of: Self.stages[0]) ? attentionNorm : mlpNorm }
    set {
      if name == inputNorm(of: Self.stages[0]) {
        attentionNorm = newValue
      } else {
        mlpNorm = newValue
      }
    }
  }

  private func norm(_ x: Matrix, _ weight: [Float], on compute: Compute) -> Matrix {
    rmsNorm(x, weight: weight, epsilon: configuration.normEpsilon, on: compute)
  }

  /// What each token gathers from itself and those before it: `tokens × heads · headWidth`.
  private func attention(
    _ queries: inout Matrix, _ keys: inout Matrix, _ values: Matrix, _ positions: Positions,
    on compute: Compute
  ) -> Matrix {
    let (length, first) = positions.span(rows: queries.rows)
    rotary.rotate(&queries, sequenceLength: length, from: first, on: compute)
    rotary.rotate(&keys, sequenceLength: length, from: first, on: compute)
    switch positions {
    case .sequences:
      return causalAttention(
        queries: queries, keys: keys, values: values, sequenceLength: length,
        heads: configuration.heads, keyValueHeads: configuration.keyValueHeads,
        headWidth: configuration.headWidth, on: compute)
    case .following(let cache):
      return cache.attention(
        queries: queries, keys: keys, values: values, block: index, on: compute)
    }
  }
}

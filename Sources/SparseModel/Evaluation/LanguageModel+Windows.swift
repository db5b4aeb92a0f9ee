internal import SparseCore

/// Windows of tokens through the whole model, and what comes out of it.
extension LanguageModel {
  /// The residual stream after the last block, in chunks of whole windows.
  func hiddenStates(
    of windows: TokenWindows, _ activations: ActivationType, chunkTokens: Int,
    on compute: Compute, afterBlock: (Int) throws -> Void
  ) throws -> [Matrix] {
    var hidden = try windows.groups(ofTokens: chunkTokens).map {
      try embed(windows[$0], source: "the text")
    }
    try run(
      &hidden, length: windows.length, through: blocks.indices, activations, on: compute,
      beforeBlock: afterBlock)
    return hidden
  }

  /// Takes the residual stream of windows of `length` tokens, in chunks, through some blocks.
  func run(
    _ hidden: inout [Matrix], length: Int, through range: Range<Int>,
    _ activations: ActivationType = .float32, on compute: Compute,
    beforeBlock: (Int) throws -> Void = { _ in }
  ) throws {
    for index in range {
      try beforeBlock(index)
      let products = blocks[index].products(with: activations, on: compute)
      for chunk in hidden.indices {
        var state = BlockState(hidden: hidden[chunk], positions: .sequences(length: length))
        hidden[chunk] = Matrix(rows: 0, columns: 0)
        blocks[index].run(&state, on: compute, multiply: products.multiply)
        hidden[chunk] = state.hidden
      }
    }
  }

  /// The vocabulary in slices, so that logits never take more than some megabytes, whatever its size.
  ///
  /// They depend on nothing else, as sums over the vocabulary are taken slice by slice.
  var vocabularySlices: [Range<Int>] {
    stride(from: 0, to: configuration.vocabulary, by: 4096).map {
      $0..<min($0 + 4096, configuration.vocabulary)
    }
  }

  /// The output projection's rows for a slice of the vocabulary, ready to multiply.
  func outputProjection(_ slice: Range<Int>, on compute: Compute) -> PackedWeight {
    PackedWeight(outputProjection.rows(slice), on: compute)
  }
}

/// A block's weights, packed once for many multiplications.
struct BlockProducts {
  private var products: [String: (Matrix) -> Matrix] = [:]

  init(_ layers: [(name: String, product: (Matrix) -> Matrix)]) {
    products = Dictionary(uniqueKeysWithValues: layers.map { ($0.name, $0.product) })
  }

  /// `x Wᵀ` of one of the layers, without the bias.
  func multiply(_ layer: LinearLayer, _ x: Matrix) -> Matrix {
    guard let product = products[layer.name] else {
      preconditionFailure("\(layer.name) is not among the stages of its block")
    }
    return product(x)
  }
}

extension DecoderBlock {
  /// All linear layers, ready to multiply.
  func products(with activations: ActivationType = .float32, on compute: Compute) -> BlockProducts {
    BlockProducts(
      Self.stages.flatMap(\.linears).map(linear).map {
        ($0.name, $0.product(with: activations, on: compute))
      })
  }
}

extension LinearLayer {
  /// `x Wᵀ`, without the bias, with the weight packed once.
  fileprivate func product(
    with activations: ActivationType, on compute: Compute
  ) -> (Matrix) -> Matrix {
    if activations == .int8 && weight.type == .int8 {
      let packed = PackedInt8Weight(weight, on: compute)
      return { SparseCore.linear($0, packed, on: compute) }
    }
    let packed = PackedWeight(weight, on: compute)
    return { SparseCore.linear($0, packed, on: compute) }
  }
}

/// How many tokens pass through the model at a time.
///
/// It changes no bit of any result: every sum runs over its terms in a fixed order.
struct BatchSize {
  /// Tokens whose activations are held at once: enough to keep the register tiles busy, few
  /// enough that a stage's activations stay a few tens of megabytes.
  var chunkTokens = 2048
  /// Bytes of the residual stream that are held at once.
  var hiddenBytes = 64 << 20

  /// Tokens whose residual stream is held at once.
  func hiddenTokens(width: Int) -> Int {
    max(chunkTokens, hiddenBytes / (4 * width))
  }
}

internal import SparseCore

/// Windows of tokens through the whole model, and what comes out of it.
extension Decoder {
  /// The residual stream after the last block, in chunks of whole windows.
  func hiddenStates(
    of windows: TokenWindows, _ activations: ActivationType, chunkTokens: Int,
    on compute: Compute, afterBlock: (Int) throws -> Void
  ) throws -> [Matrix] {
    let chunks = windows.groups(ofTokens: chunkTokens)
    var hidden = try chunks.map { try embed(windows[$0], source: "the text") }
    for (index, block) in blocks.enumerated() {
      try afterBlock(index)
      var products: [String: (Matrix) -> Matrix] = [:]
      for name in type(of: block).stages.flatMap(\.linears) {
        let layer = block.linear(name)
        products[layer.name] = layer.product(with: activations, on: compute)
      }
      for chunk in hidden.indices {
        var state = BlockState(
          hidden: hidden[chunk], positions: .sequences(length: windows.length))
        hidden[chunk] = Matrix(rows: 0, columns: 0)
        block.run(&state, on: compute) { layer, x in
          guard let product = products[layer.name] else {
            preconditionFailure("\(layer.name) is not among the stages of its block")
          }
          return product(x)
        }
        hidden[chunk] = state.hidden
      }
    }
    return hidden
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

package import SparseCore

/// One block of a decoder, told as stages: groups of linear layers that read the same input.
///
/// Everything that walks a model (evaluation, generation, calibration, pruning) asks a block for a
/// stage's input, multiplies, and hands the outputs back. So the forward pass is written once, and
/// pruning sees each stage's input exactly as the model computes it.
///
/// An architecture is one file with a type that conforms, and one line in ``DecoderArchitecture``.
package protocol DecoderBlock: Sendable {
  /// The block's stages in the order in which they run.
  static var stages: [Stage] { get }

  /// The layer of the given name within the block.
  func linear(_ name: String) -> LinearLayer

  /// The stage's input, `tokens × inputs`.
  ///
  /// May be asked for more than once before the stage is finished; the answer is the same.
  func input(of stage: Stage, from state: BlockState, on compute: Compute) -> Matrix

  /// Goes on from the stage's outputs, one `tokens × outputs` matrix for each of its linears.
  ///
  /// They are consumed, so that a block may work in them rather than in copies.
  func finish(
    _ stage: Stage, outputs: consuming [Matrix], state: inout BlockState, on compute: Compute)

  /// The bytes that ``finish(_:outputs:state:on:)`` takes for a while, beside the outputs and what follows from them.
  func finishBytes(of stage: Stage, tokens: Int, length: Int, threads: Int) -> Int

  /// The channels of the stage's inputs that may change places; nil where the order is fixed.
  func channelFreedom(of stage: Stage) -> ChannelFreedom?

  /// The weight of the norm whose outputs are the stage's inputs and go nowhere else; nil where there is none.
  ///
  /// Its channels can be divided by scales for which the columns of the stage's layers make up.
  func inputNorm(of stage: Stage) -> String?

  /// The values of a norm's weight, by the name that ``inputNorm(of:)`` gives.
  subscript(norm name: String) -> [Float] { get set }

  /// The way back through ``finish(_:outputs:state:on:)``: the gradients of the stage's outputs.
  ///
  /// - Parameters:
  ///   - outputs: what the way forward was given; none for the block's last stage, which only adds its output to
  ///     the residual stream.
  ///   - gradient: that of the state afterwards; what reaches the state before on another way than through
  ///     the outputs is left in it.
  func outputGradients(
    of stage: Stage, outputs: consuming [Matrix], gradient: inout StateGradient,
    positions: Positions, on compute: Compute
  ) -> [Matrix]

  /// The way back through ``input(of:from:on:)``: adds to the gradient of the state what follows from that of the stage's input.
  ///
  /// - Parameters:
  ///   - hidden: the residual stream that the input was made from.
  ///   - norm: the gradient of the weight of ``inputNorm(of:)``, a single row, which is added to.
  func addInputGradient(
    _ inputGradient: consuming Matrix, of stage: Stage, hidden: Matrix,
    to gradient: inout StateGradient, norm: inout Matrix, on compute: Compute
  )
}

/// The gradient of where a group of tokens stands inside a block.
package struct StateGradient {
  /// That of the residual stream, `tokens × width`.
  package var hidden: Matrix
  /// That of the next stage's input where it follows from more than the residual stream.
  package var pending: Matrix?
}

extension LanguageModel {
  /// The most columns of a stage's input that follows from more than the residual stream.
  var mostPendingInputs: Int {
    blocks.flatMap { block in
      type(of: block).stages.filter { block.inputNorm(of: $0) == nil }
        .map { block.linear($0.linears[0]).stored.columns }
    }.max() ?? 0
  }
}

/// Where a group of tokens stands inside a block.
package struct BlockState {
  /// The residual stream, `tokens × width`.
  package var hidden: Matrix
  /// The next stage's input where it follows from more than the residual stream.
  package var pending: Matrix?
  /// Which tokens the rows are.
  package let positions: Positions

  /// The start of a block.
  package init(hidden: Matrix, positions: Positions) {
    self.hidden = hidden
    self.positions = positions
  }
}

/// Which tokens the rows of a matrix of activations are.
package enum Positions {
  /// Whole sequences of equal length, one after the other, each starting at position 0.
  case sequences(length: Int)
  /// For each sequence of a cache the tokens that follow those it already holds.
  case following(KeyValueCache)

  /// The length of each sequence among `rows` rows, and the position of its first token.
  func span(rows: Int) -> (length: Int, first: Int) {
    switch self {
    case .sequences(let length): (length, 0)
    case .following(let cache): (rows / cache.sequences, cache.length)
    }
  }
}

extension DecoderBlock {
  /// Runs the whole block on one group of tokens.
  ///
  /// `multiply` gives `x Wᵀ` of a layer, without the bias.
  package func run(
    _ state: inout BlockState, on compute: Compute, multiply: (LinearLayer, Matrix) -> Matrix
  ) {
    for stage in Self.stages {
      let input = input(of: stage, from: state, on: compute)
      let outputs = outputs(of: stage, for: input, multiply: multiply)
      finish(stage, outputs: outputs, state: &state, on: compute)
    }
  }

  /// The outputs of all linears of a stage, biases added.
  package func outputs(
    of stage: Stage, for input: Matrix, multiply: (LinearLayer, Matrix) -> Matrix
  ) -> [Matrix] {
    stage.linears.map { name in
      let layer = linear(name)
      var output = multiply(layer, input)
      if let bias = layer.bias { addRow(bias, to: &output) }
      return output
    }
  }
}

internal import SparseCore

/// Windows of tokens through a whole model and back.
///
/// Between the ways only the residual stream before each block is kept: what happens inside a block is computed
/// again when the way back reaches it (Chen et al. 2016, arXiv 1604.06174). So memory grows with the windows
/// times the width, and with one block.
struct TrainingPass {
  /// The model's shape; its weights are those in training.
  let decoder: LanguageModel
  let compute: Compute
  /// Tokens whose activations inside a block are held at once.
  var chunkTokens = 2048

  /// What a token's terms count in the loss: each is a mean over the tokens of a step.
  struct Factors {
    let loss: LogitLoss
    /// The tokens of a step, and those that have a next one.
    let tokens: Int
    let predicted: Int

    /// For windows of `length` tokens, so many in a step.
    init(_ loss: LogitLoss, windows: Int, length: Int) {
      self.loss = loss
      tokens = windows * length
      predicted = windows * (length - 1)
    }

    fileprivate var values: (divergence: Float, crossEntropy: Float) {
      (
        Float(Double(loss.distillation) / Double(tokens)),
        Float(Double(loss.crossEntropy) / Double(predicted))
      )
    }
  }

  /// A teacher's head and its last hidden states of some windows, as that reads them: one matrix for each window.
  typealias TeacherStates = (head: OutputHead, windows: [Matrix])

  /// What the predictions of some windows cost.
  func loss(
    of windows: TokenWindows, _ parameters: TrainingParameters?, teacher: TeacherStates?,
    progress: () throws -> Void = {}
  ) throws -> LossSums {
    let chunks = windows.groups(ofTokens: chunkTokens)
    var hidden = try chunks.map { try embed(windows[$0], parameters) }
    for block in decoder.blocks {
      try progress()
      let pass = BlockPass(block, parameters, goesBack: false, on: compute)
      for chunk in hidden.indices {
        hidden[chunk] = pass.run(hidden[chunk], length: windows.length)
      }
    }
    let head = OutputHead(decoder, parameters, goesBack: false, on: compute)
    var sums = LossSums()
    for (chunk, group) in chunks.enumerated() {
      try progress()
      sums += try head.loss(
        hidden[chunk], targets: targets(of: windows, group),
        teacher: states(teacher, group))
    }
    return sums
  }

  /// The same; adds the gradients of the loss to those of the parameters.
  func gradient(
    of windows: TokenWindows, _ factors: Factors, teacher: TeacherStates?,
    to parameters: inout TrainingParameters, progress: () throws -> Void = {}
  ) throws -> LossSums {
    let (length, blocks) = (windows.length, decoder.blocks)
    let chunks = windows.groups(ofTokens: chunkTokens)
    var before: [[Matrix]] = []  // by block and chunk: the residual stream before it
    var hidden = try chunks.map { try embed(windows[$0], parameters) }
    for block in blocks {
      try progress()
      let pass = BlockPass(block, parameters, goesBack: false, on: compute)
      before.append(hidden)
      for chunk in hidden.indices { hidden[chunk] = pass.run(hidden[chunk], length: length) }
    }
    var sums = LossSums()
    var gradients: [Matrix] = []
    do {
      let head = OutputHead(decoder, parameters, goesBack: true, on: compute)
      for (chunk, group) in chunks.enumerated() {
        try progress()
        let (loss, gradient) = try head.gradient(
          hidden[chunk], targets: targets(of: windows, group), teacher: states(teacher, group),
          factors: factors.values, to: &parameters)
        sums += loss
        gradients.append(gradient)
      }
    }
    hidden = []
    for block in blocks.reversed() {
      try progress()
      let pass = BlockPass(block, parameters, goesBack: true, on: compute)
      let inputs = before.removeLast()
      for chunk in inputs.indices {
        gradients[chunk] = pass.gradient(
          gradients[chunk], hidden: inputs[chunk], length: length, to: &parameters)
      }
    }
    for (chunk, group) in chunks.enumerated() {
      parameters.addGradient(of: decoder.names.embedding) {
        addEmbeddingGradient(
          of: gradients[chunk], ids: Array(windows[group]), to: &$0, on: compute)
      }
    }
    return sums
  }

  private func embed(
    _ ids: ArraySlice<Int32>, _ parameters: TrainingParameters?
  ) throws -> Matrix {
    guard let table = parameters?[decoder.names.embedding] else {
      return try decoder.embed(ids, source: "the text")
    }
    return table.gather(rows: ids.map(Int.init))
  }

  /// The next token of each; nil for the last one of a window.
  private func targets(of windows: TokenWindows, _ group: Range<Int>) -> [Int32?] {
    group.flatMap { window in windows[window].dropFirst().map(Optional.some) + [nil] }
  }

  private func states(
    _ teacher: TeacherStates?, _ group: Range<Int>
  ) -> (head: OutputHead, states: Matrix)? {
    teacher.map {
      (
        $0.head,
        Matrix(stacking: Array($0.windows[group]), columns: decoder.configuration.width)
      )
    }
  }
}

internal import SparseCore

/// The end of a decoder in training: the last norm, the output projection, and the loss.
///
/// Logits are made for some tokens at a time, so that they never take more than ``logitBytes``, whatever the batch.
struct OutputHead {
  private let decoder: LanguageModel
  private let norm: [Float]
  private let epsilon: Float
  private let forward: PackedWeight
  private let backward: PackedWeight?
  private let names: (norm: String, projection: String)
  private let compute: Compute

  /// What the logits of a model may take: those of 682 tokens of a vocabulary of 49,152.
  static let mostLogitBytes = 1 << 27
  var logitBytes = mostLogitBytes

  /// The head of a decoder with the weights of `parameters`, or else the checkpoint's.
  init(
    _ decoder: LanguageModel, _ parameters: TrainingParameters?, goesBack: Bool, on compute: Compute
  ) {
    self.decoder = decoder
    names = (decoder.names.finalNorm, decoder.outputProjectionName)
    norm = parameters?[names.norm]?.values ?? decoder.finalNorm
    epsilon = decoder.configuration.normEpsilon
    self.compute = compute
    if let weight = parameters?[names.projection] {
      forward = PackedWeight(weight, on: compute)
      backward = goesBack ? PackedWeight(transposing: weight, on: compute) : nil
    } else {
      forward = PackedWeight(decoder.outputProjection, on: compute)
      backward =
        goesBack
        ? PackedWeight(
          transposing: Matrix(decoder.outputProjection, on: compute), on: compute) : nil
    }
  }

  /// The last hidden states as the output projection reads them.
  func finish(_ hidden: Matrix) -> Matrix {
    rmsNorm(hidden, weight: norm, epsilon: epsilon, on: compute)
  }

  /// What the predictions of some tokens cost.
  ///
  /// - Parameters:
  ///   - hidden: the residual stream after the last block.
  ///   - targets: each token's next one; nil for the last of a window.
  ///   - teacher: the teacher's head, and its last hidden states as that reads them.
  /// - Throws: ``PredictionError`` where the teacher's logits are NaN or infinite. The student's may be: training
  ///   ends then.
  func loss(
    _ hidden: Matrix, targets: [Int32?], teacher: (head: OutputHead, states: Matrix)?
  ) throws(PredictionError) -> LossSums {
    let states = finish(hidden)
    var sums = LossSums()
    for tokens in pieces(states.rows) {
      var logits = linear(states[rows: tokens], forward, on: compute)
      let known = teacherLogits(teacher, tokens)
      let loss = lossGradient(
        logits: &logits, teacher: known, targets: Array(targets[tokens]), factors: nil, on: compute)
      try requireFinite(loss, known, teacher, tokens)
      sums += loss
    }
    return sums
  }

  /// The same, and the gradient of the residual stream after the last block.
  ///
  /// - Parameter factors: what a token's divergence and negative log-likelihood count in the loss.
  func gradient(
    _ hidden: Matrix, targets: [Int32?], teacher: (head: OutputHead, states: Matrix)?,
    factors: (divergence: Float, crossEntropy: Float), to parameters: inout TrainingParameters
  ) throws(PredictionError) -> (loss: LossSums, hidden: Matrix) {
    guard let backward else { preconditionFailure("OutputHead: made for the way forward alone") }
    let states = finish(hidden)
    var sums = LossSums()
    var parts: [Matrix] = []
    for tokens in pieces(states.rows) {
      let x = states[rows: tokens]
      var logits = linear(x, forward, on: compute)
      let known = teacherLogits(teacher, tokens)
      let loss = lossGradient(
        logits: &logits, teacher: known, targets: Array(targets[tokens]), factors: factors,
        on: compute)
      try requireFinite(loss, known, teacher, tokens)
      sums += loss
      parameters.addGradient(of: names.projection) {
        addWeightGradient(of: logits, x, to: &$0, on: compute)
      }
      parts.append(linear(logits, backward, on: compute))
    }
    let stateGradient = Matrix(stacking: parts, columns: states.columns)
    var result = Matrix(rows: hidden.rows, columns: hidden.columns)
    func back(_ norm: inout Matrix) {
      addRMSNormGradient(
        of: stateGradient, hidden, weight: self.norm, epsilon: epsilon, to: &result,
        weightGradient: &norm, on: compute)
    }
    if parameters.place(names.norm) != nil {
      parameters.addGradient(of: names.norm, back)
    } else {
      var unused = Matrix(rows: 1, columns: hidden.columns)
      back(&unused)
    }
    return (sums, result)
  }

  /// Throws where a loss is NaN or infinite because of the teacher's logits.
  private func requireFinite(
    _ loss: LossSums, _ logits: Matrix?, _ teacher: (head: OutputHead, states: Matrix)?,
    _ tokens: Range<Int>
  ) throws(PredictionError) {
    guard !loss.divergence.isFinite, let logits, let teacher,
      let row = logits.firstRowNotFinite(on: compute)
    else { return }
    throw teacher.head.decoder.predictionError(
      state: teacher.states[rows: tokens.lowerBound + row..<tokens.lowerBound + row + 1].values,
      window: nil, position: tokens.lowerBound + row, on: compute)
  }

  private func teacherLogits(
    _ teacher: (head: OutputHead, states: Matrix)?, _ tokens: Range<Int>
  ) -> Matrix? {
    teacher.map { linear($0.states[rows: tokens], $0.head.forward, on: compute) }
  }

  /// Tokens whose logits are made at once.
  private func pieces(_ tokens: Int) -> [Range<Int>] {
    let size = max(16, logitBytes / (4 * forward.outputs) / 48 * 48)
    return stride(from: 0, to: tokens, by: size).map { $0..<min($0 + size, tokens) }
  }
}

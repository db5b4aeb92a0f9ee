internal import SparseCore

/// A decoder block with its weights ready for the way forward and, where asked for, back.
struct BlockPass {
  private let block: any DecoderBlock
  private let forward: [String: PackedWeight]
  private let backward: [String: PackedWeight]
  private let biases: [String: [Float]]
  private let compute: Compute

  /// Packs the weights of a block: those of `parameters`, or else those of `others`, or else the checkpoint's.
  init(
    _ block: any DecoderBlock, _ parameters: TrainingParameters?,
    others: [String: StoredMatrix] = [:], goesBack: Bool, on compute: Compute
  ) {
    func values(_ name: String) -> Matrix? {
      parameters?[name] ?? others[name].map { Matrix($0, on: compute) }
    }
    var block = block
    var (forward, backward): ([String: PackedWeight], [String: PackedWeight]) = ([:], [:])
    var biases: [String: [Float]] = [:]
    for stage in type(of: block).stages {
      if let norm = block.inputNorm(of: stage), let weight = values(norm) {
        block[norm: norm] = weight.values
      }
      for layer in stage.linears.map(block.linear) {
        let weight = values(layer.name)
        forward[layer.name] =
          weight.map { PackedWeight($0, on: compute) } ?? PackedWeight(layer.weight, on: compute)
        if goesBack {
          backward[layer.name] = PackedWeight(
            transposing: weight ?? Matrix(layer.weight, on: compute), on: compute)
        }
        biases[layer.name] = layer.biasName.flatMap(values)?.values ?? layer.bias
      }
    }
    self.block = block
    self.forward = forward
    self.backward = backward
    self.biases = biases
    self.compute = compute
  }

  private var stages: [Stage] { type(of: block).stages }

  /// The residual stream after the block, of whole sequences of `length` tokens.
  func run(_ hidden: Matrix, length: Int) -> Matrix {
    var state = BlockState(hidden: hidden, positions: .sequences(length: length))
    for stage in stages {
      let input = block.input(of: stage, from: state, on: compute)
      block.finish(stage, outputs: outputs(of: stage, for: input), state: &state, on: compute)
    }
    return state.hidden
  }

  /// The gradient of the residual stream before the block, from that after it.
  ///
  /// What the way back needs of the way forward is computed again: all but the last stage's outputs.
  ///
  /// - Parameters:
  ///   - hidden: the residual stream before the block.
  ///   - parameters: their gradients are added to.
  func gradient(
    _ gradient: Matrix, hidden: Matrix, length: Int, to parameters: inout TrainingParameters
  ) -> Matrix {
    var state = BlockState(hidden: hidden, positions: .sequences(length: length))
    let steps = stages.map { stage in
      let input = block.input(of: stage, from: state, on: compute)
      if isLast(stage) {
        return Step(stage: stage, input: input, outputs: [], hidden: state.hidden)
      }
      return step(stage, input, &state)
    }
    return goBack(steps, gradient, state.positions, to: &parameters)
  }

  /// Runs the block and goes back at once.
  ///
  /// - Parameter gradient: gives the gradient of the residual stream after the block.
  func fit(
    _ hidden: Matrix, length: Int, to parameters: inout TrainingParameters,
    gradient: (_ output: Matrix) -> Matrix
  ) {
    var state = BlockState(hidden: hidden, positions: .sequences(length: length))
    let steps = stages.map { stage in
      step(stage, block.input(of: stage, from: state, on: compute), &state)
    }
    _ = goBack(steps, gradient(state.hidden), state.positions, to: &parameters)
  }

  private func isLast(_ stage: Stage) -> Bool { stage.index == stages.count - 1 }

  /// Takes a stage, and keeps what the way back needs of it.
  private func step(_ stage: Stage, _ input: Matrix, _ state: inout BlockState) -> Step {
    let outputs = outputs(of: stage, for: input)
    let step = Step(
      stage: stage, input: input, outputs: isLast(stage) ? [] : outputs, hidden: state.hidden)
    block.finish(stage, outputs: outputs, state: &state, on: compute)
    return step
  }

  private func goBack(
    _ steps: [Step], _ gradient: Matrix, _ positions: Positions,
    to parameters: inout TrainingParameters
  ) -> Matrix {
    var steps = steps
    var back = StateGradient(hidden: gradient)
    while let step = steps.popLast() {
      let outputs = block.outputGradients(
        of: step.stage, outputs: step.outputs, gradient: &back, positions: positions, on: compute)
      let input = inputGradient(of: step, outputs: outputs, to: &parameters)
      addInputGradient(input, of: step, to: &back, &parameters)
    }
    return back.hidden
  }

  /// What the way forward leaves behind of a stage.
  private struct Step {
    let stage: Stage
    let input: Matrix
    let outputs: [Matrix]
    let hidden: Matrix
  }

  private func outputs(of stage: Stage, for input: Matrix) -> [Matrix] {
    stage.linears.map(block.linear).map { layer in
      var output = linear(input, packed(layer, forward), on: compute)
      if let bias = biases[layer.name] { addRow(bias, to: &output, on: compute) }
      return output
    }
  }

  /// The gradient of a stage's input, from those of its outputs.
  private func inputGradient(
    of step: Step, outputs: [Matrix], to parameters: inout TrainingParameters
  ) -> Matrix {
    var sum = Matrix(rows: step.input.rows, columns: step.input.columns)
    for (layer, gradient) in zip(step.stage.linears.map(block.linear), outputs) {
      parameters.addGradient(of: layer.name) {
        addWeightGradient(of: gradient, step.input, to: &$0, on: compute)
      }
      if let bias = layer.biasName {
        parameters.addGradient(of: bias) { addColumnSums(of: gradient, to: &$0, on: compute) }
      }
      addLinear(gradient, packed(layer, backward), to: &sum, on: compute)
    }
    return sum
  }

  private func addInputGradient(
    _ gradient: Matrix, of step: Step, to back: inout StateGradient,
    _ parameters: inout TrainingParameters
  ) {
    func add(_ norm: inout Matrix) {
      block.addInputGradient(
        gradient, of: step.stage, hidden: step.hidden, to: &back, norm: &norm, on: compute)
    }
    if let norm = block.inputNorm(of: step.stage), parameters.place(norm) != nil {
      parameters.addGradient(of: norm, add)
    } else {
      var unused = Matrix(rows: 1, columns: step.hidden.columns)
      add(&unused)
    }
  }

  private func packed(_ layer: LinearLayer, _ weights: [String: PackedWeight]) -> PackedWeight {
    guard let weight = weights[layer.name] else {
      preconditionFailure("BlockPass: \(layer.name) is not packed")
    }
    return weight
  }
}

internal import SparseCore

/// Prunes a model block by block and stage by stage, so that every layer sees the inputs that the already pruned layers before it produce.
struct BlockwisePruning {
  let model: LanguageModel
  let recipe: StageRecipe
  let targets: Set<ExactString>
  /// Makes what trains each block once it is pruned, which holds the dense model's hidden states; nil for nothing.
  var reconstruction: (() throws -> BlockReconstruction)?
  let compute: Compute
  var memory = MemoryChoices()
  /// Where the output will be: scratch files are beside it.
  var outputPath: String?

  /// Prunes every target and hands all tensors that change to `write` as soon as they are known.
  ///
  /// - Parameters:
  ///   - first: the block to begin with.
  ///   - given: gives the hidden states that some windows have before it; nil for their embeddings.
  ///   - finished: told of each block that is done: its number, the windows as they are grouped, the hidden states
  ///     that a group has after it, what became of its layers, in the order in which they run, and what training
  ///     has brought it.
  func run(
    on windows: TokenWindows, startingAt first: Int = 0,
    hidden given: ((Range<Int>) throws -> Matrix)? = nil,
    write: @escaping (_ name: String, _ tensor: StoredMatrix) throws -> Void,
    finished: (
      _ block: Int, _ groups: [Range<Int>], _ hidden: (_ group: Int) throws -> Matrix,
      _ layers: [LayerReport], _ reconstruction: BlockError?
    ) throws -> Void,
    progress: ProgressHandler
  ) throws {
    if first == model.blocks.count { return }
    let chunks = windows.groups(ofTokens: memory.chunkTokens)
    var meter = WorkMeter(model: model, chunks: chunks.count)
    for block in model.blocks[..<first] { meter.skip(block) }
    var states = try BlockStates(
      chunks: chunks, length: windows.length, hidden: model.configuration.width,
      pending: model.mostPendingInputs, spill: memory.spill, beside: outputPath)
    for (chunk, tokens) in chunks.enumerated() {
      try states.begin(
        chunk,
        hidden: given?(tokens) ?? model.embed(windows[tokens], source: "calibration"))
    }
    model.releaseEmbedding()
    var reconstruction = try reconstruction?()
    for index in 0..<first {
      try reconstruction?.advanceTeacher(through: index) { try progress(meter.progress) }
    }
    for (index, block) in model.blocks.enumerated().dropFirst(first) {
      var reports: [LayerReport] = []
      var written: [(name: String, tensor: StoredMatrix)] = []
      if reconstruction != nil {
        for (chunk, group) in chunks.enumerated() {
          try reconstruction?.begin(states.hidden(chunk), group)
        }
      }
      var writes = stages.writes(
        of: block, to: reconstruction == nil ? write : { written.append(($0, $1)) })
      for stage in type(of: block).stages {
        meter.begin(block: index, stage: stage.name)
        let weights = try prune(
          stage, of: block, index: index, states: states, windows: windows, reports: &reports,
          writes: &writes
        ) { try progress(meter.progress) }
        for chunk in 0..<states.count {
          try states.update(chunk) { state in
            let outputs = outputs(of: stage, in: block, for: state, weights)
            block.finish(stage, outputs: outputs, state: &state, on: compute)
          }
          meter.advance(by: stage.linears.map { block.linear($0).stored })
          try progress(meter.progress)
        }
        release(stage, of: block)
        Allocator.returnFreedMemory()
      }
      var error: BlockError?
      if reconstruction != nil {
        meter.begin(block: index, stage: "train")
        error = try reconstruct(
          block, index: index, &reconstruction, written: &written, states: &states, chunks
        ) { try progress(meter.progress) }
        let tensors = Dictionary(written.map { ($0.name, $0.tensor) }) { $1 }
        for place in reports.indices where error != nil {
          guard let tensor = tensors[reports[place].name] else { continue }
          reports[place].count(tensor, on: compute)
        }
        for (name, tensor) in written { try write(name, tensor) }
      }
      // Layers that were reordered for the sake of later ones have been read again.
      for stage in type(of: block).stages { release(stage, of: block) }
      try finished(index, chunks, states.hidden, reports, error)
    }
  }

  /// Trains what is kept of a block's pruned weights, and takes the hidden states through the block anew.
  ///
  /// The tensors are trained as they are written: with their channels in the order in which they are 2:4.
  private func reconstruct(
    _ block: any DecoderBlock, index: Int, _ reconstruction: inout BlockReconstruction?,
    written: inout [(name: String, tensor: StoredMatrix)], states: inout BlockStates,
    _ chunks: [Range<Int>], progress: () throws -> Void
  ) throws -> BlockError? {
    try reconstruction?.advanceTeacher(through: index, progress: progress)
    var tensors = Dictionary(uniqueKeysWithValues: written.map { ($0.name, $0.tensor) })
    let layers = type(of: block).stages.flatMap(\.linears).map(block.linear)
    let names = layers.filter { stages.isTarget($0) && !recipe.keepsDense($0) }.map(\.name)
    guard !names.isEmpty else { return nil }
    var parameters = try TrainingParameters(names, on: compute, isSparse: { _ in true }) { name in
      try tensors[name] ?? model.checkpoint.weight(name)
    } failure: {
      LayerError(layer: $0, model: model.checkpoint.path, reason: $1)
    }
    let error = try reconstruction?.train(
      block, index: index, &parameters, others: tensors, progress: progress)
    for (name, values) in zip(parameters.names, parameters.values) {
      guard let type = tensors[name]?.type else { continue }
      tensors[name] = StoredMatrix(values, as: type)
    }
    for place in written.indices {
      written[place].tensor = tensors[written[place].name] ?? written[place].tensor
    }
    let pass = BlockPass(block, nil, others: tensors, goesBack: false, on: compute)
    for (chunk, group) in chunks.enumerated() {
      if let hidden = try reconstruction?.output(of: pass, group) {
        try states.begin(chunk, hidden: hidden)
      }
    }
    return error
  }

  /// The outputs of a stage's layers with their new weights.
  private func outputs(
    of stage: Stage, in block: any DecoderBlock, for state: BlockState,
    _ weights: [String: RunningWeight]
  ) -> [Matrix] {
    let input = block.input(of: stage, from: state, on: compute)
    return block.outputs(of: stage, for: input) { layer, x in
      guard let weight = weights[layer.name] else {
        preconditionFailure("\(layer.name) is not among the layers of stage \(stage.name)")
      }
      return weight.multiply(x, on: compute)
    }
  }

  /// Lets go of the memory of a stage's weights.
  private func release(_ stage: Stage, of block: any DecoderBlock) {
    for name in stage.linears { model.checkpoint.release(block.linear(name).name) }
  }

  private var stages: StagePruning {
    StagePruning(
      model: model, recipe: recipe, targets: targets, compute: compute, memory: memory)
  }

  /// Prunes the targets among a stage's layers and gives all of its layers' weights, ready to multiply.
  private func prune(
    _ stage: Stage, of block: any DecoderBlock, index: Int, states: BlockStates,
    windows: TokenWindows, reports: inout [LayerReport], writes: inout HeldWrites,
    afterChunk: () throws -> Void
  ) throws -> [String: RunningWeight] {
    let layers = stage.linears.map(block.linear)
    func running(_ weight: RowSource) -> RunningWeight {
      let isPacked = memory.stage(stage.index).packsWeights
      return RunningWeight(weight, isPacked: isPacked, on: compute)
    }
    let targets = layers.filter(stages.isTarget)
    var pruned: [String: RowSource] = [:]
    if !targets.isEmpty {
      var inputs = try collect(
        stage, of: block, index: index, states: states, windows: windows, afterChunk: afterChunk)
      let results = try stages.prune(
        stage, of: block, index: index, inputs: &inputs, sampleTokens: windows.ids.count,
        writes: &writes)
      for (layer, (running, report)) in zip(targets, results) {
        pruned[layer.name] = running
        reports.append(report)
      }
    }
    Allocator.returnFreedMemory()
    return Dictionary(
      uniqueKeysWithValues: layers.map {
        ($0.name, running(pruned[$0.name] ?? RowSource($0.weight)))
      })
  }

  /// What a recipe needs to know of a stage's inputs.
  private func collect(
    _ stage: Stage, of block: any DecoderBlock, index: Int, states: BlockStates,
    windows: TokenWindows, afterChunk: () throws -> Void
  ) throws -> StageInputs {
    let columns = block.linear(stage.linears[0]).stored.columns
    var collector = StageInputCollector(recipe, inputs: columns, windows: windows)
    for chunk in 0..<states.count {
      collector.add(block.input(of: stage, from: try states.read(chunk), on: compute), on: compute)
      try afterChunk()
    }
    guard let inputs = collector.result(on: compute) else {
      throw ModelError.nonFiniteActivations(block: index, stage: stage.name)
    }
    return inputs
  }
}

/// A layer's weight as the run goes on with it, in the model's own order and scale.
private enum RunningWeight {
  case packed(PackedWeight)
  /// Made anew for every chunk of activations: no more than a few rows of it are in memory.
  case rows(RowSource)

  init(_ weight: RowSource, isPacked: Bool, on compute: Compute) {
    self = isPacked ? .packed(PackedWeight(weight, on: compute)) : .rows(weight)
  }

  /// `x Wᵀ`, the same bits for either.
  func multiply(_ x: Matrix, on compute: Compute) -> Matrix {
    switch self {
    case .packed(let weight): linear(x, weight, on: compute)
    case .rows(let weight): linear(x, weight, on: compute)
    }
  }
}

/// Counts the multiplications of a run, so that the time left can be told.
private struct WorkMeter {
  private var done = 0
  private let total: Int
  private let blocks: Int
  private let chunks: Int
  private var step = ""

  init(model: LanguageModel, chunks: Int) {
    let weights = model.blocks.flatMap { block in
      type(of: block).stages.flatMap(\.linears).map { block.linear($0).stored }
    }
    total = weights.reduce(0) { $0 + $1.rows * $1.columns } * chunks
    blocks = model.blocks.count
    self.chunks = chunks
  }

  /// Counts a block as done.
  mutating func skip(_ block: any DecoderBlock) {
    let weights = type(of: block).stages.flatMap(\.linears).map { block.linear($0).stored }
    for _ in 0..<chunks { advance(by: weights) }
  }

  mutating func begin(block: Int, stage: String) {
    step = "block \(block + 1) of \(blocks), \(stage)"
  }

  mutating func advance(by weights: [StoredWeight]) {
    done += weights.reduce(0) { $0 + $1.rows * $1.columns }
  }

  var progress: RunProgress { RunProgress(step: step, done: done, total: total) }
}

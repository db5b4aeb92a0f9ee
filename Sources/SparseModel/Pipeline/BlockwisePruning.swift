internal import SparseCore

/// Prunes a model block by block and stage by stage, so that every layer sees the inputs that the already pruned layers before it produce.
struct BlockwisePruning {
  let model: Decoder
  let recipe: StageRecipe
  let targets: Set<ExactString>
  let compute: Compute
  var batch = BatchSize()

  /// Prunes every target and hands all tensors that change to `write` as soon as they are known.
  ///
  /// - Parameters:
  ///   - first: the block to begin with.
  ///   - given: gives the hidden states that some windows have before it; nil for their embeddings.
  ///   - finished: told of each block that is done: its number, the windows as they are grouped, the hidden states
  ///     that a group has after it, and what became of its layers, in the order in which they run.
  func run(
    on windows: TokenWindows, startingAt first: Int = 0,
    hidden given: ((Range<Int>) throws -> Matrix)? = nil,
    write: @escaping (_ name: String, _ tensor: StoredMatrix) throws -> Void,
    finished: (
      _ block: Int, _ groups: [Range<Int>], _ hidden: (_ group: Int) throws -> Matrix,
      _ layers: [LayerReport]
    ) throws -> Void,
    progress: ProgressHandler
  ) throws {
    if first == model.blocks.count { return }
    let chunks = windows.groups(ofTokens: batch.chunkTokens)
    var meter = WorkMeter(model: model, chunks: chunks.count)
    for block in model.blocks[..<first] { meter.skip(block) }
    var hidden = try chunks.map {
      try given?($0) ?? model.embed(windows[$0], source: "calibration")
    }
    model.releaseEmbedding()
    for (index, block) in model.blocks.enumerated().dropFirst(first) {
      var reports: [LayerReport] = []
      var states = hidden.map {
        BlockState(hidden: $0, positions: .sequences(length: windows.length))
      }
      hidden = []
      var writes = stages.writes(of: block, to: write)
      for stage in type(of: block).stages {
        meter.begin(block: index, stage: stage.name)
        let weights = try prune(
          stage, of: block, index: index, states: states, windows: windows, reports: &reports,
          writes: &writes
        ) { try progress(meter.progress) }
        for chunk in states.indices {
          let input = block.input(of: stage, from: states[chunk], on: compute)
          let outputs = block.outputs(of: stage, for: input) { layer, x in
            guard let weight = weights[layer.name] else {
              preconditionFailure("\(layer.name) is not among the layers of stage \(stage.name)")
            }
            return linear(x, weight, on: compute)
          }
          block.finish(stage, outputs: outputs, state: &states[chunk], on: compute)
          meter.advance(by: stage.linears.map { block.linear($0).weight })
          try progress(meter.progress)
        }
      }
      hidden = states.map(\.hidden)
      for name in type(of: block).stages.flatMap(\.linears) {
        model.checkpoint.release(block.linear(name).name)
      }
      try finished(index, chunks, { hidden[$0] }, reports)
      Allocator.returnFreedMemory()
    }
  }

  private var stages: StagePruning {
    StagePruning(model: model, recipe: recipe, targets: targets, compute: compute)
  }

  /// Prunes the targets among a stage's layers and gives all of its layers' weights, ready to multiply.
  private func prune(
    _ stage: Stage, of block: any DecoderBlock, index: Int, states: [BlockState],
    windows: TokenWindows, reports: inout [LayerReport], writes: inout HeldWrites,
    afterChunk: () throws -> Void
  ) throws -> [String: PackedWeight] {
    let layers = stage.linears.map(block.linear)
    var weights: [String: PackedWeight] = [:]
    for layer in layers where !stages.isTarget(layer) {
      weights[layer.name] = PackedWeight(layer.weight, on: compute)
    }
    let targets = layers.filter(stages.isTarget)
    guard !targets.isEmpty else { return weights }
    var collector = StageInputCollector(recipe, inputs: layers[0].weight.columns, windows: windows)
    for state in states {
      collector.add(block.input(of: stage, from: state, on: compute), on: compute)
      try afterChunk()
    }
    guard let inputs = collector.result(on: compute) else {
      throw ModelError.nonFiniteActivations(block: index, stage: stage.name)
    }
    let pruned = try stages.prune(
      stage, of: block, index: index, inputs: inputs, sampleTokens: windows.ids.count,
      writes: &writes)
    for (layer, (running, report)) in zip(targets, pruned) {
      weights[layer.name] = PackedWeight(running, on: compute)
      reports.append(report)
    }
    return weights
  }
}

/// Counts the multiplications of a run, so that the time left can be told.
private struct WorkMeter {
  private var done = 0
  private let total: Int
  private let blocks: Int
  private let chunks: Int
  private var step = ""

  init(model: Decoder, chunks: Int) {
    let weights = model.blocks.flatMap { block in
      type(of: block).stages.flatMap(\.linears).map { block.linear($0).weight }
    }
    total = weights.reduce(0) { $0 + $1.rows * $1.columns } * chunks
    blocks = model.blocks.count
    self.chunks = chunks
  }

  /// Counts a block as done.
  mutating func skip(_ block: any DecoderBlock) {
    let weights = type(of: block).stages.flatMap(\.linears).map { block.linear($0).weight }
    for _ in 0..<chunks { advance(by: weights) }
  }

  mutating func begin(block: Int, stage: String) {
    step = "block \(block + 1) of \(blocks), \(stage)"
  }

  mutating func advance(by weights: [StoredMatrix]) {
    done += weights.reduce(0) { $0 + $1.rows * $1.columns }
  }

  var progress: Progress { Progress(step: step, done: done, total: total) }
}

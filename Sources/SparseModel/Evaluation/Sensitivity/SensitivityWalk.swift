internal import SparseCore

/// Changes each part of a model by itself and looks at what comes out of it.
///
/// The dense model is walked once, block by block: with calibration tokens, for what the change needs to know of
/// each stage's inputs, and with a held-out text, from whose dense activations every changed part starts. So
/// nothing before a part is computed for it again, which saves half of the model's work on average.
struct SensitivityWalk {
  let model: LanguageModel
  let pruning: StagePruning
  let heldOut: HeldOutText
  let unit: SensitivityUnit
  /// Whether a changed part is followed to the end of its block only.
  let isFast: Bool

  private var compute: Compute { pruning.compute }

  /// A changed part: new weights by their names in the checkpoint, and what became of them.
  private struct Change {
    var weights: [String: PackedWeight] = [:]
    var reports: [LayerReport] = []

    mutating func merge(_ other: Change) {
      weights.merge(other.weights) { $1 }
      reports += other.reports
    }
  }

  /// Measures all parts of the blocks from `first` on.
  ///
  /// - Parameters:
  ///   - windows: the calibration tokens.
  ///   - finished: told of each block that is done.
  /// - Throws: ``LayerError``, ``ModelError/nonFiniteActivations(block:stage:)``, and what `finished` and `progress` throw.
  func run(
    on windows: TokenWindows, startingAt first: Int,
    finished: (_ block: Int, _ parts: [Sensitivity]) throws -> Void, progress: ProgressHandler
  ) throws {
    var meter = SensitivityMeter(self, calibrationTokens: windows.ids.count)
    var calibration = Passage(
      try windows.groups(ofTokens: BatchSize().chunkTokens).map {
        try model.embed(windows[$0], source: "calibration")
      }, length: windows.length)
    var text = Passage(try heldOut.embeddings(), length: heldOut.windows.length)
    for (index, block) in model.blocks.enumerated() {
      try progress(meter.progress(block: index))
      let products = block.products(on: compute)
      if index < first {
        calibration.run(block, products, on: compute)
        text.run(block, products, on: compute)
        meter.skip(block: index)
      } else {
        let parts = try measure(
          block, index: index, products, windows, &calibration, &text, &meter, progress: progress)
        try finished(index, parts)
      }
      for name in type(of: block).stages.flatMap(\.linears) {
        model.checkpoint.release(block.linear(name).name)
      }
      Allocator.returnFreedMemory()
    }
  }

  /// Measures the parts of a block and takes both texts through it.
  private func measure(
    _ block: any DecoderBlock, index: Int, _ products: BlockProducts, _ windows: TokenWindows,
    _ calibration: inout Passage, _ text: inout Passage, _ meter: inout SensitivityMeter,
    progress: ProgressHandler
  ) throws -> [Sensitivity] {
    let stages = type(of: block).stages
    var parts: [Sensitivity] = []
    var (whole, dense, after) = (Change(), text, text)
    after.run(block, products, on: compute)
    func follow(
      _ change: Change, named name: String, from start: Passage, _ stages: ArraySlice<Stage>,
      outputs: [[Matrix]]?
    ) throws {
      try progress(meter.progress(block: index, part: name))
      var changed = start
      for stage in stages {
        let reused = stage.index == stages.startIndex ? outputs : nil
        changed.finish(
          stage, of: block,
          outputs: changed.outputs(
            of: stage, in: block, products, changed: change.weights, reusing: reused, on: compute),
          on: compute)
      }
      parts.append(
        try sensitivity(named: name, block: index, change.reports, changed.hidden, after.hidden))
      meter.measured(block: index)
    }
    for stage in stages {
      let changes = try prune(stage, of: block, index: index, calibration, windows)
      calibration.run(stage, of: block, products, on: compute)
      meter.calibrated(block: index, stages: stages.count)
      let outputs = dense.outputs(of: stage, in: block, products, on: compute)
      let rest = stages[stage.index...]
      switch unit {
      case .linear:
        for change in changes {
          try follow(change, named: change.reports[0].name, from: dense, rest, outputs: outputs)
        }
      case .stage where !changes.isEmpty:
        var all = Change()
        changes.forEach { all.merge($0) }
        try follow(
          all, named: "block \(index), \(stage.name)", from: dense, rest, outputs: outputs)
      case .stage, .block: changes.forEach { whole.merge($0) }
      }
      dense.finish(stage, of: block, outputs: outputs, on: compute)
    }
    if unit == .block && !whole.reports.isEmpty {
      try follow(whole, named: "block \(index)", from: text, stages[...], outputs: nil)
    }
    text = after
    return parts
  }

  /// Changes each target among a stage's layers; nothing is written.
  private func prune(
    _ stage: Stage, of block: any DecoderBlock, index: Int, _ calibration: Passage,
    _ windows: TokenWindows
  ) throws -> [Change] {
    guard pruning.isTarget(stage, of: block) else { return [] }
    let columns = block.linear(stage.linears[0]).stored.columns
    var collector = StageInputCollector(pruning.recipe, inputs: columns, windows: windows)
    for state in calibration.states {
      collector.add(block.input(of: stage, from: state, on: compute), on: compute)
    }
    guard var inputs = collector.result(on: compute) else {
      throw ModelError.nonFiniteActivations(block: index, stage: stage.name)
    }
    var writes = HeldWrites { _, _ in }
    return try pruning.prune(
      stage, of: block, index: index, inputs: &inputs, sampleTokens: windows.ids.count,
      writes: &writes
    ).map {
      Change(
        weights: [$0.report.name: PackedWeight($0.running, on: compute)], reports: [$0.report])
    }
  }

  /// What a part costs whose block gives `changed` where the dense one gives `dense`.
  private func sensitivity(
    named name: String, block: Int, _ reports: [LayerReport], _ changed: [Matrix],
    _ dense: [Matrix]
  ) throws -> Sensitivity {
    let blockError = Self.relativeError(of: changed, dense)
    var change: HeldOutText.Change?
    if !isFast {
      var hidden = changed
      try model.run(
        &hidden, length: heldOut.windows.length, through: block + 1..<model.blocks.count,
        on: compute)
      change = try heldOut.change(of: hidden)
    }
    let errors = reports.compactMap(\.error)
    let reference = errors.reduce(0) { $0 + $1.squaredReference }
    let error = errors.reduce(0) { $0 + $1.squaredError }
    return Sensitivity(
      name: name, block: block, layers: reports.map(\.name),
      weights: reports.reduce(0) { $0 + $1.shape.reduce(1, *) },
      relativeError: error == 0 ? 0 : (error / reference).squareRoot(), blockError: blockError,
      divergence: change?.divergence, lossIncrease: change?.lossIncrease)
  }

  /// The root of the mean over tokens of ‖Δh‖² / ‖h‖².
  ///
  /// Token by token, as the first ones of a text have a residual stream many times as large as all others.
  private static func relativeError(of changed: [Matrix], _ dense: [Matrix]) -> Double {
    var (sum, tokens) = (0.0, 0)
    for (changed, dense) in zip(changed, dense) {
      for row in 0..<dense.rows {
        var (difference, size) = (0.0, 0.0)
        for column in 0..<dense.columns {
          let value = Double(dense[row, column])
          let change = Double(changed[row, column]) - value
          difference += change * change
          size += value * value
        }
        sum += difference == 0 ? 0 : difference / size
      }
      tokens += dense.rows
    }
    return (sum / Double(tokens)).squareRoot()
  }
}

/// Where some windows of tokens stand inside a block, in chunks.
private struct Passage {
  private(set) var states: [BlockState]

  init(_ hidden: [Matrix], length: Int) {
    states = hidden.map { BlockState(hidden: $0, positions: .sequences(length: length)) }
  }

  /// The residual stream.
  var hidden: [Matrix] { states.map(\.hidden) }

  /// The outputs of a stage's layers for each chunk.
  ///
  /// - Parameters:
  ///   - changed: weights in place of the block's own.
  ///   - reusing: the outputs with the block's own weights, where they are known.
  func outputs(
    of stage: Stage, in block: any DecoderBlock, _ products: BlockProducts,
    changed: [String: PackedWeight] = [:], reusing known: [[Matrix]]? = nil, on compute: Compute
  ) -> [[Matrix]] {
    states.indices.map { chunk in
      let input = block.input(of: stage, from: states[chunk], on: compute)
      return stage.linears.map(block.linear).enumerated().map { index, layer in
        let weight = changed[layer.name]
        if weight == nil, let known { return known[chunk][index] }
        var output =
          weight.map { linear(input, $0, on: compute) } ?? products.multiply(layer, input)
        if let bias = layer.bias { addRow(bias, to: &output) }
        return output
      }
    }
  }

  /// Goes on from a stage's outputs.
  mutating func finish(
    _ stage: Stage, of block: any DecoderBlock, outputs: [[Matrix]], on compute: Compute
  ) {
    for chunk in states.indices {
      block.finish(stage, outputs: outputs[chunk], state: &states[chunk], on: compute)
    }
  }

  /// Runs a stage.
  mutating func run(
    _ stage: Stage, of block: any DecoderBlock, _ products: BlockProducts, on compute: Compute
  ) {
    for chunk in states.indices {
      let input = block.input(of: stage, from: states[chunk], on: compute)
      let outputs = block.outputs(of: stage, for: input, multiply: products.multiply)
      block.finish(stage, outputs: outputs, state: &states[chunk], on: compute)
    }
  }

  /// Runs the whole block.
  mutating func run(_ block: any DecoderBlock, _ products: BlockProducts, on compute: Compute) {
    for stage in type(of: block).stages { run(stage, of: block, products, on: compute) }
  }
}

/// Counts the multiplications, so that the time left can be told.
private struct SensitivityMeter {
  private let blocks: [(calibration: Int, part: Int, parts: Int)]
  private var done = 0
  private let total: Int

  init(_ walk: SensitivityWalk, calibrationTokens: Int) {
    let model = walk.model
    let tokens = walk.heldOut.windows.ids.count
    var after = model.configuration.vocabulary * model.configuration.width / 2
    var blocks: [(calibration: Int, part: Int, parts: Int)] = []
    for block in model.blocks.reversed() {
      let stages = type(of: block).stages
      let weights = stages.flatMap(\.linears).map { block.linear($0).stored }.reduce(0) {
        $0 + $1.rows * $1.columns
      }
      let targets = stages.filter { walk.pruning.isTarget($0, of: block) }
      let parts =
        switch walk.unit {
        case .block: min(1, targets.count)
        case .stage: targets.count
        case .linear:
          stages.flatMap(\.linears).filter { walk.pruning.isTarget(block.linear($0)) }.count
        }
      blocks.append(
        (
          calibration: weights * calibrationTokens,
          part: (weights / 2 + (walk.isFast ? 0 : after)) * tokens, parts: parts
        ))
      after += weights
    }
    self.blocks = blocks.reversed()
    total = blocks.reduce(0) { $0 + $1.calibration + $1.parts * $1.part }
  }

  mutating func calibrated(block: Int, stages: Int) { done += blocks[block].calibration / stages }
  mutating func measured(block: Int) { done += blocks[block].part }
  mutating func skip(block: Int) {
    done += blocks[block].calibration + blocks[block].parts * blocks[block].part
  }

  func progress(block: Int, part: String? = nil) -> RunProgress {
    RunProgress(
      step: part.map { "measure \($0)" } ?? "block \(block + 1) of \(blocks.count)", done: done,
      total: total)
  }
}

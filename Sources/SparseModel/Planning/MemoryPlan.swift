internal import SparseCore

/// What a run of pruning will take of memory and disk, step by step, and how it keeps to a budget.
///
/// A function of shapes, tokens, method, threads and budget alone. The bytes are upper bounds of what is
/// resident; the choices change the time and never a bit of what is written.
public struct MemoryPlan: Sendable {
  /// One step of a run.
  public struct Step: Sendable, Equatable {
    /// What reports call it.
    public let name: String
    /// The most that is resident while it goes on.
    public let bytes: Int
  }

  /// The budget, given or by default.
  public let budget: Int
  /// The steps, those of a block once: with the largest of all blocks.
  public let steps: [Step]
  /// What activations take of the disk beside the output.
  public let scratchBytes: Int
  /// The most of all steps.
  public var peakBytes: Int { steps.map(\.bytes).max() ?? 0 }

  let choices: MemoryChoices
  /// How the model writes its own calibration text.
  let writing: TextMemory

  /// Plans the work of some tokens through a model.
  ///
  /// - Parameters:
  ///   - budget: nil for half of `available`, or the least that would do where that is more.
  ///   - available: the machine's memory.
  /// - Throws: ``MemoryBudgetError``.
  init(
    _ work: MemoryWork, budget: Int?, available: Int
  ) throws(MemoryBudgetError) {
    let least = MemoryPlan(work, work.leastChoices, budget: 0)
    let limit = budget ?? max(Self.defaultBudget(available: available), least.peakBytes)
    if least.peakBytes > limit {
      let step = least.steps.first { $0.bytes == least.peakBytes }
      throw .tooSmall(budget: limit, least: least.peakBytes, step: step?.name ?? "")
    }
    for isWhole in [true, false] {
      for choices in work.candidates {
        let fitted = work.fitted(choices, to: limit, wholeBatches: isWhole)
        if let fitted {
          self.init(work, fitted, budget: limit)
          return
        }
      }
    }
    self.init(work, least.choices, budget: limit)
  }

  /// A run that reads every tensor once, a piece or a weight at a time.
  init(streaming bytes: Int, budget: Int?, available: Int) throws(MemoryBudgetError) {
    let limit = budget ?? max(Self.defaultBudget(available: available), bytes)
    if bytes > limit { throw .tooSmall(budget: limit, least: bytes, step: "prune") }
    self.budget = limit
    steps = [Step(name: "prune", bytes: bytes)]
    scratchBytes = 0
    choices = MemoryChoices()
    writing = TextMemory()
  }

  /// What a run takes at most where nothing is asked for, unless it cannot do with that: half of what there is.
  private static func defaultBudget(available: Int) -> Int { available / 2 }

  private init(_ work: MemoryWork, _ choices: MemoryChoices, budget: Int) {
    self.budget = budget
    self.choices = choices
    writing = work.text?.memory(within: budget) ?? TextMemory()
    scratchBytes = choices.spill.bytes(
      tokens: work.tokens, hidden: work.width, pending: work.pendingInputs)
    var steps: [Step] = []
    if let text = work.text {
      steps.append(Step(name: Self.writingName, bytes: text.bytes(writing)))
    }
    steps.append(Step(name: Self.embeddingName, bytes: work.embeddingBytes(choices)))
    var most: [(name: String, bytes: Int)] = []
    for shape in work.shapes {
      let bytes = StageMemory(shape, work, choices).peak
      let name = Self.name(of: shape)
      if let place = most.firstIndex(where: { $0.name == name }) {
        most[place].bytes = max(most[place].bytes, bytes)
      } else {
        most.append((name, bytes))
      }
    }
    steps += most.map { Step(name: $0.name, bytes: $0.bytes) }
    if let bytes = work.trainingBytes(choices) {
      steps.append(Step(name: Self.trainingName, bytes: bytes))
    }
    steps.append(Step(name: "copy the rest", bytes: work.copyBytes))
    self.steps = steps
  }

  static let writingName = "write calibration text"
  static let embeddingName = "embed"
  static let trainingName = "train a block"

  /// What the step of a stage is called, that of all blocks.
  static func name(of shape: StageShape) -> String { "prune \(shape.stage.name)" }
}

/// All that a plan depends on but the budget.
struct MemoryWork {
  let shapes: [StageShape]
  /// The recipe's pruner, of what kind its statistics are, and whether weights become INT8.
  let pruner: any Pruner
  let isRefit: Bool
  let needs: StatisticsKind
  let isInt8: Bool
  let smooths: Bool
  let width: Int
  let pendingInputs: Int
  var samples: Int
  var length: Int
  let threads: Int
  /// The text that the model writes; nil where it is given.
  var text: TextWork?
  let embeddingTableBytes: Int
  /// What the training of a block takes; nil where none is trained.
  var training: BlockTrainingBytes?

  var tokens: Int { samples * length }

  /// The program, its threads, the tokens, and what allocators keep.
  var baseBytes: Int { Self.programBytes(threads: threads) + 16 * tokens }

  /// The program and its threads, with what allocators keep.
  static func programBytes(threads: Int) -> Int { (64 << 20) + threads * (8 << 20) }

  /// Pieces of tensors on their way through: 64 of them at a time.
  static let pieceBytes = 64 * TensorPiece.byteCount

  /// Copying what is left.
  var copyBytes: Int { baseBytes + Self.pieceBytes }

  func embeddingBytes(_ choices: MemoryChoices) -> Int {
    baseBytes + activationBytes(choices) + embeddingTableBytes
      + 8 * chunkTokens(choices) * width
  }

  /// What the training of a block takes, and what waits meanwhile; nil where none is trained.
  func trainingBytes(_ choices: MemoryChoices) -> Int? {
    training.map { baseBytes + activationBytes(choices) + $0.bytes }
  }

  /// The activations that wait in memory.
  func activationBytes(_ choices: MemoryChoices) -> Int {
    // Training keeps the residual streams of the sparse and of the dense model besides.
    let streams = training == nil ? 1 : 3
    return 4 * tokens
      * ((choices.spill.hidden ? 0 : streams * width) + (choices.spill.pending ? 0 : pendingInputs))
  }

  /// The tokens of the largest chunk.
  func chunkTokens(_ choices: MemoryChoices) -> Int {
    min(tokens, max(1, choices.chunkTokens / length) * length)
  }

  // MARK: Choices

  /// The choices that take least.
  var leastChoices: MemoryChoices {
    var choices = MemoryChoices()
    choices.chunkTokens = length
    choices.spill = ActivationSpill(hidden: true, pending: true)
    choices.stages = stageIndices.map { _ in
      MemoryChoices.Stage(panelsAtOnce: 1, searchBytes: 0, stripeBytes: 0, packsWeights: false)
    }
    return choices
  }

  private var stageIndices: Range<Int> { 0..<((shapes.map(\.stage.index).max() ?? -1) + 1) }

  /// Where activations wait and how many are worked on together, the fastest first.
  var candidates: [MemoryChoices] {
    let spills = [
      ActivationSpill(), ActivationSpill(pending: true),
      ActivationSpill(hidden: true, pending: true),
    ]
    return spills.flatMap { spill in
      [2048, 1024, 512, 256, length].filter { $0 >= length }.map {
        MemoryChoices(chunkTokens: $0, spill: spill)
      }
    }
  }

  /// The choices with as much for every stage as the limit allows; nil where it does not allow them.
  ///
  /// - Parameter wholeBatches: whether a method that begins anew with every batch is to have a single one.
  func fitted(
    _ choices: MemoryChoices, to limit: Int, wholeBatches: Bool
  ) -> MemoryChoices? {
    guard embeddingBytes(choices) <= limit, trainingBytes(choices) ?? 0 <= limit else {
      return nil
    }
    var fitted = choices
    fitted.stages = leastChoices.stages
    for index in stageIndices {
      let shapes = shapes.filter { $0.stage.index == index }
      guard let stage = fit(shapes, choices, to: limit, wholeBatches: wholeBatches) else {
        return nil
      }
      fitted.stages[index] = stage
    }
    return fitted
  }

  private func fit(
    _ shapes: [StageShape], _ choices: MemoryChoices, to limit: Int, wholeBatches: Bool
  ) -> MemoryChoices.Stage? {
    var stage = MemoryChoices.Stage(
      panelsAtOnce: 1, searchBytes: 0, stripeBytes: 0, packsWeights: false)
    func fits(_ stage: MemoryChoices.Stage) -> Bool {
      var trial = choices
      trial.stages = stageIndices.map { _ in stage }
      return shapes.allSatisfy { StageMemory($0, self, trial).peak <= limit }
    }
    guard fits(stage) else { return nil }
    let panels = shapes.map(\.targetPanels).max() ?? 0
    let inputs = shapes.map(\.inputs).max() ?? 0
    let solver = solverBytes(inputs: inputs)
    // What a method does anew for every batch asks for few of them; all others are as fast with small ones.
    let wanted =
      solver.repeatsForBatches
      ? max(1, panels)
      : min(max(1, panels), max(4 * threads, Self.batchBytes / max(1, solver.perPanel)))
    var trial = stage
    trial.panelsAtOnce = wanted
    if !fits(trial) {
      if wholeBatches && solver.repeatsForBatches { return nil }
      let most = largest(in: 1...wanted) { count in
        trial.panelsAtOnce = count
        return fits(trial)
      }
      let batches = (panels + most - 1) / most
      trial.panelsAtOnce = max(1, (panels + batches - 1) / max(1, batches))
    }
    stage = trial
    for bytes in [Self.stripeBytes, Self.stripeBytes / 4, Self.stripeBytes / 16, 16 << 20] {
      trial.stripeBytes = bytes
      if fits(trial) { break }
      trial.stripeBytes = 0
    }
    for exchanges in (1...max(1, threads)).reversed() {
      trial.searchBytes = exchanges * (shapes.compactMap(exchangeBytes).max() ?? 0)
      if fits(trial) { break }
      trial.searchBytes = 0
    }
    trial.packsWeights = true
    let packed = shapes.map { StageMemory($0, self, choices).packedBytes }.max() ?? 0
    if packed > Self.packedBytes || !fits(trial) { trial.packsWeights = false }
    return trial
  }

  /// What rows that are solved together take at most where more of them save no time.
  private static let batchBytes = 384 << 20
  /// What the product that tells an error takes at most: a larger one reads the weight less often.
  private static let stripeBytes = 1 << 30
  /// What weights laid out for multiplication take at most: for larger ones it takes no time to speak of.
  private static let packedBytes = 1 << 30

  /// The largest of some numbers, of which the first ones fit.
  private func largest(in range: ClosedRange<Int>, _ fits: (Int) -> Bool) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high + 1) / 2
      if fits(middle) { low = middle } else { high = middle - 1 }
    }
    return low
  }

  func solverBytes(inputs: Int) -> SolverBytes {
    isRefit
      ? Refit.scratch(inputs: inputs, isInt8: isInt8)
      : pruner.scratch(inputs: inputs, isInt8: isInt8)
  }

  func exchangeBytes(_ shape: StageShape) -> Int? {
    shape.search.map { ChannelOrder.exchangeBytes(channels: $0.channels, rows: $0.rows) }
  }
}

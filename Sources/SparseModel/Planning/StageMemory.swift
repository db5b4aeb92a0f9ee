internal import SparseCore

/// What is resident while one stage is worked on: upper bounds.
struct StageMemory {
  private let shape: StageShape
  private let work: MemoryWork
  private let choices: MemoryChoices
  private let stage: MemoryChoices.Stage

  init(_ shape: StageShape, _ work: MemoryWork, _ choices: MemoryChoices) {
    self.shape = shape
    self.work = work
    self.choices = choices
    stage = choices.stage(shape.stage.index)
  }

  /// The most of all that is done one after the other.
  var peak: Int {
    let resident = work.baseBytes + work.activationBytes(choices) + shape.mappedBytes
    guard !shape.targetRows.isEmpty else { return resident + pass }
    return resident + max(collect, search, enter, solve, error, pass)
  }

  private var chunk: Int { work.chunkTokens(choices) }

  /// One closed gram.
  private var gram: Int { work.needs == .gram ? Gram.byteCount(inputs: shape.inputs) : 0 }

  /// Inputs that errors are measured on.
  private var sample: Int { 4 * shape.inputs * sampleTokens }

  private var sampleTokens: Int {
    work.needs == .gram ? 0 : InputSample(windows: work.samples, length: work.length).tokens
  }

  /// A chunk that is read back from the scratch file.
  private var state: Int {
    4 * chunk
      * ((choices.spill.hidden ? work.width : 0) + (choices.spill.pending ? work.pendingInputs : 0))
  }

  private var collect: Int {
    let sums = work.tokens > Gram.blockTokens ? 2 * gram : gram
    let input = shape.isPending ? 0 : 4 * chunk * shape.inputs
    return shape.heldBytes + sums + Gram.workBytes(inputs: shape.inputs) + sample + state + input
  }

  /// The order of the channels, and the layers before that are written with their rows in it.
  private var search: Int {
    guard let search = shape.search, let one = work.exchangeBytes(shape) else { return 0 }
    let exchanges = max(one, min(stage.searchBytes, one * work.threads))
    return gram + sample + shape.heldBytes
      + max(
        shape.producerBytes,
        exchanges + ChannelOrder.searchBytes(channels: search.channels, threads: work.threads))
  }

  /// The statistics in the new order and scale.
  private var enter: Int {
    shape.search == nil && !work.smooths ? 0 : 2 * gram + 2 * sample
  }

  private var solve: Int {
    let solver = work.solverBytes(inputs: shape.inputs)
    let panels = min(stage.panelsAtOnce, shape.targetPanels)
    return gram + sample + shape.newBytes + solver.fixed + panels * solver.perPanel
      + work.threads * solver.perThread
  }

  private var error: Int {
    let rows = shape.targetRows.max() ?? 0
    guard work.needs == .gram else {
      let tokens = min(sampleTokens, OutputError.tokensAtOnce(outputs: rows))
      return sample + shape.newBytes + 4 * tokens * (rows + shape.inputs) + rowsInPassing
    }
    return gram + shape.newBytes
      + Gram.squaredOutputBytes(
        inputs: shape.inputs, rows: rows, stripeBytes: stage.stripeBytes)
  }

  /// What a product with weights that are made row by row takes: a panel of each thread and what it comes from.
  private var rowsInPassing: Int { work.threads * 4 * 5 * RowSource.panelRows * shape.inputs }

  /// All layers' weights, laid out for multiplication.
  var packedBytes: Int {
    PackedWeight.byteCount(outputs: shape.outputs, inputs: shape.inputs)
      + 4 * RowSource.panelRows * shape.inputs * shape.stage.linears.count
  }

  /// The stage's outputs for a chunk, and what follows from them.
  private var pass: Int {
    shape.newBytes + rowsInPassing + (stage.packsWeights ? packedBytes : 0) + state
      + 4 * chunk * (shape.inputs + shape.outputs + shape.nextInputs)
      + shape.block.finishBytes(
        of: shape.stage, tokens: chunk, length: work.length, threads: work.threads)
  }
}

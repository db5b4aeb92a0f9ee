public import SparseCore

/// What a training takes, by estimate.
struct TrainingEstimate {
  /// The model that is trained, or the dense one of the same shape.
  let model: LanguageModel
  let options: FinetuneOptions
  /// The windows of the text, those that are measured on among them.
  let windows: Int
  /// The tokens of each.
  let length: Int
  /// Whether the model writes the text.
  let writesText: Bool
  /// The bytes of memory that the training takes at most.
  let bytes: Int

  /// The steps of the training: its text, itself, and the output.
  func steps(_ speed: MachineSpeed, on compute: Compute) -> [RunPlan.Step] {
    var steps: [RunPlan.Step] = []
    if writesText {
      let text = TextWork(model, samples: windows, length: length, threads: compute.threads)
      steps.append(
        text.step(
          named: "write training text", by: model, samples: windows, length: length,
          options.memory.map(text.memory) ?? TextMemory(), speed))
    }
    let size = model.checkpoint.byteCount
    return steps + [
      RunPlan.Step(
        name: options.reconstruction == nil ? "train" : "train the blocks", bytes: bytes,
        seconds: WorkEstimate(products: products, reads: Double(size)).seconds(speed)),
      RunPlan.Step(
        name: "write the trained model",
        bytes: MemoryWork.programBytes(threads: compute.threads) + MemoryWork.pieceBytes,
        seconds: WorkEstimate(reading: size, writing: size).seconds(speed)),
    ]
  }

  /// Operations: a pass forward, and twice that for the way back; the dense model's pass; and the measurements.
  private var products: Double {
    let pass = PassEstimate(model)
    let text = Double(windows) * Double(length)
    if let reconstruction = options.reconstruction {
      // Each block: both models' outputs once more, and errors before and afterwards.
      return 2 * pass.linearWeights * text * (3 * Double(reconstruction.epochs) + 4)
    }
    let training = options.training
    let heldOut = options.heldOutCount(of: windows)
    let steps = training.steps(windows: windows - heldOut)
    let trained = Double(steps) * Double(training.windowsPerStep) * Double(length)
    let head = 2 * pass.headWeights
    let interval = training.evaluationInterval ?? max(1, steps / 8)
    let measurements = 1 + steps / max(1, interval)
    let measured =
      Double(measurements)
      * Double(options.heldOut?.ids.count ?? heldOut * length)
    // The dense model's states are run once for each window, its logits each time.
    let teacher = options.needsTeacher ? 2 * pass.linearWeights * text + head * trained : 0
    return 3 * pass.operations * trained + pass.operations * measured + teacher
  }

  /// The bytes of the disk for what the dense model gives, or for residual streams that do not fit the memory.
  func scratchBytes(keepsStreams: Bool) -> Int {
    let states = 4 * windows * length * model.configuration.width
    if options.reconstruction != nil { return keepsStreams ? 0 : 2 * states }
    return options.needsTeacher ? states : 0
  }
}

extension FinetuneRun {
  /// What the run would take.
  ///
  /// - Parameter speed: this machine's, measured.
  /// - Throws: `MemoryError` and ``MemoryBudgetError`` where the memory is too little, as the run does.
  public func plan(
    _ speed: MachineSpeed, on compute: Compute = .automatic
  ) throws -> RunPlan {
    let windows = givenTokens?.count ?? options.writtenWindows
    let isWhole = options.reconstruction == nil
    if isWhole {
      try FinetuneOptions.requireMemory(wholeTrainingBytes)
    } else {
      try requireBlockMemory()
    }
    let estimate = TrainingEstimate(
      model: dense ?? model, options: options, windows: windows, length: length,
      writesText: givenTokens == nil,
      bytes: isWhole ? wholeTrainingBytes : blockBytes(windows: windows))
    return RunPlan(
      steps: estimate.steps(speed, on: compute),
      budget: isWhole ? PhysicalMemory.available ?? .max : memoryLimit,
      scratchBytes: estimate.scratchBytes(keepsStreams: keepsStreams(windows: windows)))
  }

  /// The number of windows of the text and of the tokens in each.
  public var textSize: (windows: Int, length: Int) {
    (givenTokens?.count ?? options.writtenWindows, length)
  }
}

extension TrainedPruning {
  /// The run that prunes, as far as it can be planned: with its output at the place of the whole.
  package func pruningRun() throws -> PruneRun {
    var options = options
    if options.quantization != nil, options.needs == .none, options.reconstruction == nil {
      options.calibration = nil
    }
    options.quantization = nil
    options.output = output.path
    options.force = true
    return try PruneRun(checkpoint.path, options)
  }

  /// The bytes of the tensors in the output.
  package func outputBytes(of run: PruneRun) throws -> Int {
    try options.changes(quantizing: run.targets, of: checkpoint).byteCount(of: checkpoint)
  }

  /// The steps that follow the pruning, which `run` would do.
  package func laterSteps(
    after run: PruneRun, _ speed: MachineSpeed, on compute: Compute
  ) throws -> [RunPlan.Step] {
    var steps: [RunPlan.Step] = []
    if let training {
      let length = try training.windowLength(
        context: ModelConfiguration(checkpoint).contextLength)
      let model = try LanguageModel(checkpoint, positions: length)
      let text = try training.readText(length: length, for: model)
      let bytes = training.wholeTrainingBytes(
        of: model, trained: try model.trainedTensors(but: training.frozen), sparse: run.targets,
        length: length)
      steps += TrainingEstimate(
        model: model, options: training, windows: text?.count ?? training.writtenWindows,
        length: length, writesText: text == nil, bytes: bytes
      ).steps(speed, on: compute)
    }
    if options.quantization != nil {
      let joint = try roundingRun()
      let plan = try joint.memoryPlan(on: compute)
      steps += plan.steps(taking: joint.estimatedSeconds(plan, speed, on: compute)).map {
        RunPlan.Step(name: "INT8: \($0.name)", bytes: $0.bytes, seconds: $0.seconds)
      }
    }
    return steps
  }

  /// A run as costly as the rounding, which solves every layer once more.
  private func roundingRun() throws -> PruneRun {
    var rounding = options
    rounding.method = .admm
    rounding.reconstruction = nil
    rounding.permutes = false
    rounding.output = output.path
    rounding.force = true
    return try PruneRun(checkpoint.path, rounding)
  }
}

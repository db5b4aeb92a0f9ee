public import SparseCore

extension SweepRun {
  /// What the sweep would take, a step for each row.
  ///
  /// - Parameter speed: this machine's, measured.
  /// - Throws: the errors of reading the calibration, ``MemoryBudgetError`` and `MemoryError` where a row cannot keep to its
  ///   memory.
  public func plan(
    _ speed: MachineSpeed, on compute: Compute = .automatic
  ) throws -> RunPlan {
    let pass = PassEstimate(model)
    let bytes = pass.bytes(windows: text.count, length: text.length, threads: compute.threads)
    let tokens = Double(text.count) * Double(text.length)
    let predict = WorkEstimate(
      products: pass.operations * tokens, reads: Double(checkpoint.byteCount)
    ).seconds(speed)
    var steps: [RunPlan.Step] = []
    let given = try options.usedCalibration?.readTokens(for: model)
    if options.usedCalibration != nil, given == nil, let (samples, length) = calibrationSize {
      let text = TextWork(model, samples: samples, length: length, threads: compute.threads)
      steps.append(
        text.step(
          named: MemoryPlan.writingName, by: model, samples: samples, length: length,
          TextMemory(), speed))
    }
    steps.append(RunPlan.Step(name: "run the dense model", bytes: bytes, seconds: predict))
    for variant in options.variants where !variant.isInput {
      let made = try making(variant, tokens: given, speed, on: compute)
      steps.append(
        RunPlan.Step(
          name: variant.name, bytes: max(bytes, made.bytes), seconds: made.seconds + predict))
    }
    return RunPlan(
      steps: steps, budget: options.memory ?? PhysicalMemory.available ?? .max,
      scratchBytes: diskBytes)
  }

  /// What the pruning or rounding of a row takes, without the calibration text that all rows share.
  private func making(
    _ variant: SweepVariant, tokens: TokenWindows?, _ speed: MachineSpeed, on compute: Compute
  ) throws -> (bytes: Int, seconds: Double) {
    let size = checkpoint.byteCount
    let storing = WorkEstimate(reading: size, writing: size).seconds(speed)
    guard let method = variant.method else {
      let bytes = MemoryWork.programBytes(threads: compute.threads) + MemoryWork.pieceBytes
      return (bytes, storing)
    }
    // Beside the folder, where nothing is made: only the shapes count.
    let run = try PruneRun(
      path,
      options.pruning(method, variant.quantization, output: folderPath + ".dry-run"),
      tokens: tokens)
    let plan = try run.memoryPlan(on: compute)
    let steps = plan.steps(taking: run.estimatedSeconds(plan, speed, on: compute))
      .filter { $0.name != MemoryPlan.writingName }
    return (
      steps.map(\.bytes).max() ?? 0, steps.reduce(storing) { $0 + $1.seconds }
    )
  }
}

extension SweepOptions {
  /// The pruning of a row.
  func pruning(
    _ method: PruningMethod, _ quantization: SweepQuantization, output: String
  ) -> PruneOptions {
    PruneOptions(
      method: method, effort: effort,
      quantization: quantization == .int8 ? QuantizationOptions() : nil,
      calibration: usedCalibration, output: output, memory: memory)
  }
}

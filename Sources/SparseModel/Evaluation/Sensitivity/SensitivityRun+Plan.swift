public import SparseCore

extension SensitivityRun {
  /// What the measurement would take.
  ///
  /// - Parameter speed: this machine's, measured.
  public func plan(_ speed: MachineSpeed, on compute: Compute = .automatic) -> RunPlan {
    let context = model.configuration.contextLength
    let samples = calibrationTokens?.count ?? calibration?.samples ?? defaultSamples
    let length = calibrationTokens?.length ?? calibration?.length(context: context) ?? 0
    let (windows, windowLength) = textSize
    var steps: [RunPlan.Step] = []
    func write(_ name: String, _ count: Int, _ length: Int) {
      let text = TextWork(model, samples: count, length: length, threads: compute.threads)
      steps.append(
        text.step(
          named: name, by: model, samples: count, length: length, TextMemory(), speed))
    }
    if calibration != nil && calibrationTokens == nil {
      write(MemoryPlan.writingName, samples, length)
    }
    if heldOutTokens == nil { write("write the held-out text", windows, windowLength) }
    let pass = PassEstimate(model)
    let text = Double(windows) * Double(windowLength)
    let passBytes = pass.bytes(
      windows: windows, length: windowLength, threads: compute.threads)
    let logits =
      options.isFast ? 0 : 4 * (windows * windowLength / 2) * model.configuration.vocabulary
    if !options.isFast {
      steps.append(
        RunPlan.Step(
          name: "run the dense model", bytes: passBytes + logits,
          seconds: WorkEstimate(
            products: pass.operations * text, reads: Double(checkpoint.byteCount)
          ).seconds(speed)))
    }
    let isRead = calibration != nil
    let work = work(
      samples: isRead ? samples : windows, length: isRead ? length : windowLength, compute)
    let choices = MemoryChoices()
    let stage = work.shapes.map { StageMemory($0, work, choices).peak }.max() ?? 0
    // The text's residual stream four times: before, in and after the block, and changed; the block's weights twice.
    let streams = 4 * 4 * windows * windowLength * model.configuration.width
    steps.append(
      RunPlan.Step(
        name: "measure \(parts.counting("part"))",
        bytes: stage + 2 * passBytes + streams + logits,
        seconds: (WorkEstimate(work.shapes, work, choices, search: search).seconds(speed))
          + WorkEstimate(products: following(pass, text), reads: 0).seconds(speed)))
    return RunPlan(
      steps: steps, budget: PhysicalMemory.available ?? .max, scratchBytes: 0)
  }

  /// The number of windows of the held-out text and of the tokens in each.
  public var textSize: (windows: Int, length: Int) {
    heldOutTokens.map { ($0.count, $0.length) }
      ?? (heldOut.samples ?? 0, heldOut.length(context: model.configuration.contextLength))
  }

  /// How many parts are measured, one by one.
  public var parts: Int { partsOfBlocks.reduce(0, +) }

  /// The same by block.
  private var partsOfBlocks: [Int] {
    let targets = Set(targets.map(ExactString.init))
    return model.blocks.map { block in
      let stages = type(of: block).stages.map { stage in
        stage.linears.count { targets.contains(ExactString(block.linear($0).name)) }
      }
      switch options.unit {
      case .linear: return stages.reduce(0, +)
      case .stage: return stages.count { $0 > 0 }
      case .block: return stages.contains { $0 > 0 } ? 1 : 0
      }
    }
  }

  private var defaultSamples: Int { CalibrationOptions.defaultSamples }

  private var search: SearchCost {
    options.prunes ? options.pruning.search : SearchCost()
  }

  /// Operations of following every changed part: to the end of its block, or through all blocks after it and to the
  /// predictions of every second token.
  private func following(_ pass: PassEstimate, _ text: Double) -> Double {
    let block = 2 * pass.linearWeights / Double(max(1, model.blocks.count))
    return partsOfBlocks.enumerated().reduce(0) { sum, entry in
      let (index, parts) = entry
      let blocks = options.isFast ? 1 : model.blocks.count - index
      let head = options.isFast ? 0 : pass.headWeights
      return sum + Double(parts) * text * (Double(blocks) * block + head)
    }
  }

  private func work(samples: Int, length: Int, _ compute: Compute) -> MemoryWork {
    let recipe = options.pruning.recipe(dense: nil)
    let names = Set(targets.map(ExactString.init))
    return MemoryWork(
      shapes: model.blocks.flatMap { StageShape.all(of: $0, targets: names, recipe: recipe) },
      pruner: recipe.pruner, isRefit: false, needs: recipe.needs,
      isInt8: options.pruning.quantization != nil, smooths: options.pruning.smoothing != nil,
      width: model.configuration.width, pendingInputs: model.mostPendingInputs,
      samples: samples, length: length, threads: compute.threads, text: nil,
      embeddingTableBytes: model.embedding.bytes.count, training: nil)
  }
}

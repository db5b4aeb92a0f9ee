public import SparseCore

extension PruneRun {
  /// How this run will keep to the memory that it is given, or to half of the machine's.
  ///
  /// - Throws: ``MemoryBudgetError`` where the budget is too small, `MemoryError` where the machine is.
  public func memoryPlan(on compute: Compute = .automatic) throws -> MemoryPlan {
    let available = PhysicalMemory.available ?? .max
    let plan: MemoryPlan
    if let work = memoryWork(on: compute) {
      plan = try MemoryPlan(work, budget: options.memory, available: available)
    } else {
      plan = try MemoryPlan(
        streaming: streamingBytes(on: compute), budget: options.memory, available: available)
    }
    if options.memory == nil {
      try PhysicalMemory.require(Double(plan.peakBytes), for: "this run")
    }
    return plan
  }

  /// What the run is made of; nil where the model is not run.
  func memoryWork(on compute: Compute) -> MemoryWork? {
    guard let model, let (samples, length) = calibrationSize else { return nil }
    let names = Set(targets.map { ExactString($0) })
    return MemoryWork(
      shapes: model.blocks.flatMap { StageShape.all(of: $0, targets: names, recipe: recipe) },
      pruner: recipe.pruner, isRefit: options.dense != nil, needs: recipe.needs,
      isInt8: options.quantization != nil, smooths: options.smoothing != nil,
      width: model.configuration.width, pendingInputs: model.mostPendingInputs,
      samples: samples, length: length, threads: compute.threads,
      text: givenTokens == nil
        ? TextWork(model, samples: samples, length: length, threads: compute.threads) : nil,
      embeddingTableBytes: model.embedding.bytes.count,
      training: options.reconstruction.map {
        BlockTrainingBytes(model, windows: min($0.batch, samples), length: length)
      })
  }

  /// What one weight at a time takes, or one piece at a time.
  private func streamingBytes(on compute: Compute) -> Int {
    let base = MemoryWork.programBytes(threads: compute.threads) + MemoryWork.pieceBytes
    guard options.quantization != nil else { return base }
    let most =
      targets.compactMap { name -> Int? in
        guard let tensor = checkpoint[name], tensor.shape.count == 2 else { return nil }
        let (rows, columns) = (tensor.shape[0], tensor.shape[1])
        let solver = recipe.pruner.scratch(inputs: columns, isInt8: true)
        let panels = min(
          WeightwisePruning.panelsAtOnce(inputs: columns),
          (rows + RowSource.panelRows - 1) / RowSource.panelRows)
        let groups = Int8Grid.groups(
          columns: columns, groupSize: options.quantization?.groupSize ?? columns)
        return tensor.byteCount + rows * (columns + 12 * groups) + panels * solver.perPanel
      }.max() ?? 0
    return base + most
  }
}

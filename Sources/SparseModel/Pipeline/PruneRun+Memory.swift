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
    let configuration = model.configuration
    let names = Set(targets.map { ExactString($0) })
    let layers = model.blocks.flatMap { block in
      type(of: block).stages.flatMap(\.linears).map { block.linear($0).stored }
    }
    let blockBytes =
      model.blocks.map { block in
        type(of: block).stages.flatMap(\.linears).map { block.linear($0).stored.wholeByteCount }
          .reduce(0, +)
      }.max() ?? 0
    let (vocabulary, width) = (configuration.vocabulary, configuration.width)
    let table = max(model.embedding.bytes.count, model.outputProjection.bytes.count)
    let cache = KeyValueCache.bytesPerSequence(configuration, capacity: length)
    let values = 8 * width + 4 * configuration.mlpWidth + 2 * vocabulary + 2 * length
    let widest = layers.map(\.columns).max() ?? width
    return MemoryWork(
      shapes: model.blocks.flatMap { StageShape.all(of: $0, targets: names, recipe: recipe) },
      method: options.method, isRefit: options.dense != nil, needs: recipe.needs,
      isInt8: options.quantization != nil, smooths: options.smoothing != nil, width: width,
      pendingInputs: model.mostPendingInputs, samples: samples, length: length,
      threads: compute.threads, writesText: givenTokens == nil,
      textBytes: (
        perSequence: cache + 4 * values, cache: cache,
        fixed: compute.threads * 8 * RowSource.panelRows * widest
      ),
      modelBytes: (all: checkpoint.byteCount, largest: max(blockBytes, table) + table),
      embeddingTableBytes: model.embedding.bytes.count,
      training: options.reconstruction.map {
        BlockTrainingBytes(model, windows: $0.batch, length: length)
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
        let solver = SolverBytes(options.method, isInt8: true, inputs: columns)
        let panels = min(
          WeightwisePruning.panelsAtOnce(inputs: columns),
          (rows + RowSource.panelRows - 1) / RowSource.panelRows)
        let groups = columns / (options.quantization?.groupSize ?? columns)
        return tensor.byteCount + rows * (columns + 12 * groups) + panels * solver.perPanel
      }.max() ?? 0
    return base + most
  }
}

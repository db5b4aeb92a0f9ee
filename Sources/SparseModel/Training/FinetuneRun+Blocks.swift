internal import SparseCore

extension FinetuneRun {
  /// Trains block by block, from the first one that no earlier run has finished, and writes the weights.
  func trainBlocks(
    on tokens: TokenWindows, _ fingerprint: CheckpointFingerprint, in folder: RunFolder,
    on compute: Compute, progress: ProgressHandler
  ) throws -> Course {
    guard let dense, let reconstruction = options.reconstruction else {
      preconditionFailure("FinetuneRun: blocks are trained by a dense model")
    }
    let output = try writer(
      tokens, reconstruction.manifest(windows: tokens.count), fingerprint, in: folder)
    var work = try BlockReconstruction(
      reconstruction, teacher: dense, on: tokens,
      beside: keepsStreams(windows: tokens.count) ? nil : self.output.path, compute: compute)
    for group in tokens.groups(ofTokens: 2048) {
      try work.begin(model.embed(tokens[group], source: "the text"), group)
    }
    let finished = try finishedBlocks(in: folder, output.writer, progress: progress)
    for tensor in finished.flatMap(\.tensors) { output.writer.keep(tensor.name) }
    let isSparse = Set(sparse.map { ExactString($0) })
    let names = Set(trained.map { ExactString($0) })
    var errors = finished.compactMap(\.reconstruction)
    let meter = BlockMeter(
      blocks: model.blocks.count, reports: work.reports.train + 2 * work.reports.advance)
    for (index, block) in model.blocks.enumerated() {
      meter.begin(index)
      let report = { try progress(meter.next()) }
      try work.advanceTeacher(through: index, progress: report)
      let trained = block.tensorNames.filter { names.contains(ExactString($0)) }
      var others: [String: StoredMatrix] = [:]
      if index < finished.count {
        for tensor in finished[index].tensors {
          let shape = checkpoint[tensor.name]?.shape ?? []
          others[tensor.name] = try output.written(
            tensor.name, rows: shape.count == 1 ? 1 : shape[0], columns: shape.last ?? 0)
        }
      } else if !trained.isEmpty {
        var parameters = try TrainingParameters(trained, of: checkpoint, on: compute) {
          isSparse.contains(ExactString($0))
        }
        let error = try work.train(
          block, index: index, &parameters, others: [:], progress: report)
        errors.append(error)
        for (name, weight) in zip(parameters.names, parameters.values) {
          others[name] = try output.write(trained: weight, as: name, on: compute)
        }
        let tensors = try trained.map { ($0, try output.writer.fingerprint(ofWritten: $0)) }
        try folder.append(
          .block(
            FinishedBlock(
              index: index, hidden: "", tensors: tensors, layers: [], reconstruction: error)))
      } else {
        try folder.append(.block(FinishedBlock(index: index, hidden: "", tensors: [], layers: [])))
      }
      try work.advance(
        through: BlockPass(block, nil, others: others, goesBack: false, on: compute),
        progress: report)
      for name in block.tensorNames {
        checkpoint.release(name)
        dense.checkpoint.release(name)
      }
    }
    if !errors.isEmpty && errors.allSatisfy({ $0.after >= $0.before }) {
      throw TrainingError.noBlockBetter
    }
    return (output, TrainingLog(), errors)
  }

  /// The blocks from the first on that an earlier run has finished, and whose tensors are still as it wrote them.
  private func finishedBlocks(
    in folder: RunFolder, _ writer: CheckpointWriter, progress: ProgressHandler
  ) throws -> [FinishedBlock] {
    let blocks = folder.blocks
    let sound = try blocks.firstIndex { block in
      try block.index >= model.blocks.count
        || !block.tensors.allSatisfy {
          try writer.has($0.name) && writer.fingerprint(ofWritten: $0.name) == $0.fingerprint
        }
    }
    guard let sound else { return blocks }
    try folder.tellDamage(
      of: folder.outputPath,
      "of \(blocks.count.counting("trained block")) \(sound) can be used, and the rest is trained anew",
      progress)
    return Array(blocks[..<sound])
  }

  /// Whether both residual streams of the text stay in memory: where that leaves room for the rest.
  func keepsStreams(windows: Int) -> Bool {
    leastBytes(windows: windows) + streamBytes(windows: windows) <= memoryLimit
  }

  /// The bytes of memory that training block by block keeps to where it can.
  var memoryLimit: Int { options.memory ?? (PhysicalMemory.available ?? .max) / 2 }

  /// What the training of a block takes, with the residual streams where they stay in memory.
  func blockBytes(windows: Int) -> Int {
    leastBytes(windows: windows)
      + (keepsStreams(windows: windows) ? streamBytes(windows: windows) : 0)
  }

  /// The residual streams of both models.
  private func streamBytes(windows: Int) -> Int {
    2 * 4 * windows * length * model.configuration.width
  }

  /// What the training of a block takes with the residual streams in scratch files.
  private func leastBytes(windows: Int) -> Int {
    let isSparse = Set(sparse.map { ExactString($0) })
    let batch = min(options.reconstruction?.batch ?? 1, windows)
    return MemoryWork.programBytes(threads: Compute.automatic.threads) + 16 * windows * length
      + MemoryWork.pieceBytes
      + BlockTrainingBytes(model, windows: batch, length: length) {
        isSparse.contains(ExactString($0))
      }.bytes
  }

  /// Throws where the memory given, or the machine's, is too little for one block.
  func requireBlockMemory() throws {
    let least = leastBytes(windows: givenTokens?.count ?? options.writtenWindows)
    if let memory = options.memory, memory < least {
      throw MemoryBudgetError.tooSmall(budget: memory, least: least, step: "train a block")
    }
    try PhysicalMemory.require(Double(least), for: "this run")
  }
}

/// Says how far training has come, block by block.
private final class BlockMeter {
  private let blocks: Int
  private let reports: Int
  private var block = 0
  private var done = 0

  init(blocks: Int, reports: Int) {
    self.blocks = blocks
    self.reports = reports
  }

  func begin(_ block: Int) {
    self.block = block
    done = 0
  }

  func next() -> RunProgress {
    done = min(done + 1, reports)
    return RunProgress(
      step: "train block \(block + 1) of \(blocks)", done: block * reports + done,
      total: blocks * reports)
  }
}

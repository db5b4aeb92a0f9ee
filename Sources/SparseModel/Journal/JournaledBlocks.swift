internal import SparseCore

/// Prunes block by block and notes every block that is done, or goes on after those that an earlier run has done.
struct JournaledBlocks {
  let pruning: BlockwisePruning
  let folder: RunFolder
  let writer: CheckpointWriter

  /// Prunes what is left to prune; what became of all layers.
  func run(on windows: TokenWindows, progress: ProgressHandler) throws -> [LayerReport] {
    let model = pruning.model
    let hidden = try HiddenStates(
      in: folder.path, windows: windows, width: model.configuration.width)
    let finished = try finishedBlocks(hidden, progress: progress)
    for tensor in finished.flatMap(\.tensors) { writer.keep(tensor.name) }
    var layers = finished.flatMap(\.layers)
    var written: [String] = []
    try pruning.run(
      on: windows, startingAt: finished.count,
      hidden: finished.isEmpty ? nil : { try hidden.read(after: finished.count - 1, $0) },
      write: { name, tensor in
        written += try writer.write(pruned: tensor, as: name)
      },
      finished: { block, groups, state, reports, reconstruction in
        layers += reports
        let isLast = block + 1 == model.blocks.count
        let states = isLast ? "" : try hidden.write(after: block, groups, state: state)
        let tensors = try written.map { ($0, try writer.fingerprint(ofWritten: $0)) }
        try folder.append(
          .block(
            FinishedBlock(
              index: block, hidden: states, tensors: tensors, layers: reports,
              reconstruction: reconstruction)))
        written = []
      },
      progress: progress)
    return layers
  }

  /// The blocks from the first on of which all is still there, if the states are that the next one begins with.
  ///
  /// The states of all but the last two blocks have been overwritten: where neither can be used, none is.
  private func finishedBlocks(
    _ hidden: HiddenStates, progress: ProgressHandler
  ) throws -> [FinishedBlock] {
    let blocks = folder.blocks
    let sound = try blocks.firstIndex { try !isSound($0) } ?? blocks.count
    for count in [blocks.count, blocks.count - 1] where count > 0 && count <= sound {
      let isLast = count == pruning.model.blocks.count
      if try isLast || hidden.fingerprint(after: count - 1) == blocks[count - 1].hidden {
        if count < blocks.count { try tellDamage(count, of: blocks.count, progress) }
        return Array(blocks[..<count])
      }
    }
    if !blocks.isEmpty { try tellDamage(0, of: blocks.count, progress) }
    return []
  }

  private func tellDamage(
    _ count: Int, of all: Int, _ progress: ProgressHandler
  ) throws {
    try folder.tellDamage(
      of: folder.path,
      "of \(all.counting("finished block")) \(count) can be used, and the rest is done anew",
      progress)
  }

  /// Whether a block's entry speaks of all its weights that are pruned, and what it says is in the output.
  private func isSound(_ block: FinishedBlock) throws -> Bool {
    guard block.index < pruning.model.blocks.count else { return false }
    let decoder = pruning.model.blocks[block.index]
    let targets = type(of: decoder).stages.flatMap(\.linears).map(decoder.linear).filter {
      pruning.targets.contains(ExactString($0.name))
    }
    let names = targets.map { ExactString($0.name) }
    let isComplete =
      names == block.layers.map { ExactString($0.name) }
      && zip(targets, block.layers).allSatisfy {
        [$0.weight.rows, $0.weight.columns] == $1.shape
      }
      && Set(names).isSubset(of: block.tensors.map { ExactString($0.name) })
    return try isComplete
      && block.tensors.allSatisfy {
        try writer.has($0.name) && writer.fingerprint(ofWritten: $0.name) == $0.fingerprint
      }
  }
}

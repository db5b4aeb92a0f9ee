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
    let finished = try finishedBlocks(hidden)
    for tensor in finished.flatMap(\.tensors) { writer.keep(tensor.name) }
    var layers = finished.flatMap(\.layers)
    var written: [String] = []
    try pruning.run(
      on: windows, startingAt: finished.count,
      hidden: finished.isEmpty ? nil : { try hidden.read(after: finished.count - 1, $0) },
      write: { name, tensor in
        written += try writer.write(pruned: tensor, as: name)
      },
      finished: { block, groups, state, reports in
        layers += reports
        let isLast = block + 1 == model.blocks.count
        let states = isLast ? "" : try hidden.write(after: block, groups, state: state)
        let tensors = try written.map { ($0, try writer.fingerprint(ofWritten: $0)) }
        try folder.append(
          .block(
            FinishedBlock(index: block, hidden: states, tensors: tensors, layers: reports)))
        written = []
      },
      progress: progress)
    return layers
  }

  /// The blocks from the first on of which all is still there, with the states that the next one begins with.
  ///
  /// The states of all but the last two blocks have been overwritten: where neither can be used, none is.
  private func finishedBlocks(_ hidden: HiddenStates) throws -> [FinishedBlock] {
    var blocks: [FinishedBlock] = []
    for case .block(let block) in folder.entries where block.index <= blocks.count {
      blocks.removeSubrange(block.index...)
      blocks.append(block)
    }
    let sound = try blocks.firstIndex { block in
      try block.tensors.contains { try writer.fingerprint(ofWritten: $0.name) != $0.fingerprint }
    }
    for count in [blocks.count, blocks.count - 1] where count > 0 && count <= sound ?? blocks.count
    {
      let isLast = count == pruning.model.blocks.count
      if try isLast || hidden.fingerprint(after: count - 1) == blocks[count - 1].hidden {
        return Array(blocks[..<count])
      }
    }
    return []
  }
}

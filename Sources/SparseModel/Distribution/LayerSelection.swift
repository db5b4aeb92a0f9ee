internal import SparseCore

/// Which of the weights that are pruned a run takes on.
public enum LayerSelection: Sendable, Equatable {
  /// All of them: the output is a whole checkpoint.
  case all
  /// Those of some blocks: the output is a part.
  case blocks(Range<Int>)
  /// Those of one of several parts of about as many bytes: the output is a part.
  case part(WorkPart)
}

/// Weights that have to be pruned in one run, and the tensors that may change with them.
struct LayerUnit: Sendable {
  /// The number of the decoder block; nil for a weight that is in none.
  let block: Int?
  /// The weights that are pruned.
  let targets: [String]
  /// The tensors of the input in whose place the run writes others, or the same ones again.
  let tensors: [String]
}

extension LayerSelection {
  /// The units of a selection.
  ///
  /// Parts are stretches of neighbouring units: a unit is in the part in which the middle of its bytes lies,
  /// so no part is more than one unit larger than its share, and a part may be empty.
  ///
  /// - Throws: ``PartError`` for blocks that are not there.
  func units(of all: [LayerUnit], in checkpoint: Checkpoint) throws -> [LayerUnit] {
    switch self {
    case .all: return all
    case .blocks(let range):
      try range.check(of: "blocks", count: (all.compactMap(\.block).max() ?? -1) + 1)
      return all.filter { $0.block.map(range.contains) ?? false }
    case .part(let part):
      let sizes = all.map { unit in
        unit.targets.reduce(0) { $0 + (checkpoint[$1]?.byteCount ?? 0) }
      }
      // Twice the bytes, so that the middles are whole numbers.
      let end = 2 * sizes.reduce(0, +)
      if end == 0 { return part.index == 0 ? all : [] }
      let own = part.range(of: end)
      var start = 0
      return zip(all, sizes).filter { _, size in
        defer { start += 2 * size }
        return own.contains(min(start + size, end - 1))
      }.map(\.0)
    }
  }
}

extension LayerUnit {
  /// The units in which weights are pruned that look at nothing but themselves: each by itself.
  static func weights(_ targets: [String]) -> [LayerUnit] {
    targets.map { LayerUnit(block: blockNumber($0), targets: [$0], tensors: [$0]) }
  }

  /// The first number among the parts of a name: 3 in `model.layers.3.mlp.up_proj.weight`.
  private static func blockNumber(_ name: String) -> Int? {
    name.split(separator: ".").lazy.compactMap { part in
      part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil
    }.first
  }

  /// The units in which a model's layers are pruned with statistics: the layers that read one input, or whole
  /// blocks where a stage changes the layers and norms before it.
  static func stages(of model: LanguageModel, _ pruning: StagePruning) -> [LayerUnit] {
    let isWhole = pruning.recipe.permutes || pruning.recipe.smoothing != nil
    return model.blocks.enumerated().flatMap { index, block -> [LayerUnit] in
      let stages = type(of: block).stages
      let targets = stages.map { stage in
        stage.linears.map(block.linear).filter(pruning.isTarget).map(\.name)
      }
      guard isWhole else {
        return targets.filter { !$0.isEmpty }
          .map { LayerUnit(block: index, targets: $0, tensors: $0) }
      }
      let layers = stages.flatMap(\.linears).map(block.linear)
      let norms = stages.compactMap(block.inputNorm)
      let tensors = layers.map(\.name) + layers.compactMap(\.biasName) + norms
      let all = targets.flatMap { $0 }
      return all.isEmpty ? [] : [LayerUnit(block: index, targets: all, tensors: tensors)]
    }
  }
}

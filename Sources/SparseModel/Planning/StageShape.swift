internal import SparseCore

/// A stage of a block as far as memory and time go.
struct StageShape {
  let stage: Stage
  let block: any DecoderBlock
  /// The columns of the layers.
  let inputs: Int
  /// The rows of all layers together.
  let outputs: Int
  /// The rows of each layer that is pruned.
  let targetRows: [Int]
  /// The bytes of the layers in the checkpoint, which are mapped while the stage is worked on, and those of
  /// what a compressed one is expanded to.
  let mappedBytes: Int
  /// The bytes of the new weights.
  let newBytes: Int
  /// Whether the input follows from more than the residual stream.
  let isPending: Bool
  /// The columns of the next stage's input, where that is made when this stage is finished.
  let nextInputs: Int
  /// Channels that may change places: the most that one domain has, and the rows by which they are judged.
  let search: (channels: Int, rows: Int, domains: Int)?
  /// New weights of earlier stages that wait for the order of this one's inputs.
  let heldBytes: Int
  /// The largest of the layers that write these inputs, for a copy with its rows in another order.
  let producerBytes: Int

  /// All stages of a block, for a recipe that prunes `targets`.
  static func all(
    of block: any DecoderBlock, targets: Set<ExactString>, recipe: StageRecipe
  ) -> [StageShape] {
    let stages = type(of: block).stages
    func isTarget(_ layer: LinearLayer) -> Bool { targets.contains(ExactString(layer.name)) }
    func newBytes(_ layer: LinearLayer) -> Int {
      let values = layer.stored.rows * layer.stored.columns
      guard recipe.quantization != nil else { return values * layer.stored.type.byteCount }
      let groups = layer.stored.columns / max(1, recipe.quantization?.groupSize ?? values)
      return values + 12 * layer.stored.rows * max(1, groups)
    }
    return stages.indices.map { place in
      let stage = stages[place]
      let layers = stage.linears.map(block.linear)
      let pruned = layers.filter(isTarget)
      let next = place + 1 < stages.count ? stages[place + 1] : nil
      let isNextPending = next.map { block.inputNorm(of: $0) == nil } ?? false
      let freedom = recipe.permutes && !pruned.isEmpty ? block.channelFreedom(of: stage) : nil
      let producers = freedom?.producers.map(block.linear) ?? []
      return StageShape(
        stage: stage, block: block, inputs: layers[0].stored.columns,
        outputs: layers.reduce(0) { $0 + $1.stored.rows }, targetRows: pruned.map(\.stored.rows),
        mappedBytes: layers.reduce(0) { $0 + mappedBytes($1) }
          * (recipe.refit == nil ? 1 : 2),
        newBytes: (recipe.smoothing == nil && freedom == nil ? pruned : layers).reduce(0) {
          $0 + newBytes($1)
        },
        isPending: block.inputNorm(of: stage) == nil,
        nextInputs: isNextPending
          ? next.map { block.linear($0.linears[0]).stored.columns } ?? 0 : 0,
        search: freedom.map { freedom in
          (
            freedom.domains.map(\.channels).max() ?? 0,
            (freedom.domains.map(\.columns.count).max() ?? 1)
              * pruned.reduce(0) { $0 + $1.stored.rows },
            freedom.domains.count
          )
        },
        heldBytes: producers.filter(isTarget).reduce(0) { $0 + newBytes($1) },
        producerBytes: producers.map { max(newBytes($0), mappedBytes($0)) }.max() ?? 0)
    }
  }

  private static func mappedBytes(_ layer: LinearLayer) -> Int {
    let bytes = layer.stored.rows * layer.stored.columns * layer.stored.type.byteCount
    return layer.stored.isCompressed ? 2 * bytes : bytes
  }

  /// The panels of all rows that are pruned.
  var targetPanels: Int {
    targetRows.reduce(0) { $0 + ($1 + RowSource.panelRows - 1) / RowSource.panelRows }
  }
}

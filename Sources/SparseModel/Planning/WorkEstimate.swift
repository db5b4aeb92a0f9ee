internal import SparseCore

/// What a step costs: operations, and bytes of the disk.
struct WorkEstimate: Sendable, Equatable {
  /// Operations of matrix products.
  var products = 0.0
  /// Operations of factoring and solving.
  var solving = 0.0
  /// Bytes read.
  var reads = 0.0
  /// Bytes written.
  var writes = 0.0

  /// The seconds that this takes: one thing after the other.
  func seconds(_ speed: MachineSpeed) -> Double {
    products / speed.products + solving / speed.solving + reads / speed.reading
      + writes / speed.writing
  }

  /// Operations of a method that solves: factorisations, the start, products and two substitutions for every
  /// iteration, and sweeps of coordinate descent.
  static func solving(
    rows: Int, inputs: Int, search: SearchCost, batches: Int
  ) -> Double {
    let square = Double(inputs) * Double(inputs)
    let factoring = Double(batches * (1 + search.iterations)) * square * Double(inputs) / 3
    let passes = 1 + (search.iterations > 0 ? 2 : 0) + 2 * search.iterations + 2 * search.sweeps
    return factoring + Double(passes) * Double(rows) * square
  }

  /// All blocks' work for one of a block's stages.
  init(
    _ shapes: [StageShape], _ work: MemoryWork, _ choices: MemoryChoices,
    search: SearchCost
  ) {
    for shape in shapes {
      let (n, m) = (Double(shape.inputs), Double(shape.outputs))
      let tokens = Double(work.tokens)
      products += 2 * tokens * n * m
      reads += Double(shape.mappedBytes)
      writes += Double(shape.newBytes)
      if choices.spill.hidden { writes += 4 * tokens * Double(work.width) }
      if choices.spill.pending { writes += 4 * tokens * Double(shape.nextInputs) }
      guard work.needs == .gram, !shape.targetRows.isEmpty else { continue }
      let rows = shape.targetRows.reduce(0, +)
      products += tokens * n * n + 2 * Double(rows) * n * n  // the gram, and two errors
      let panels = max(1, min(choices.stage(shape.stage.index).panelsAtOnce, shape.targetPanels))
      let batches = (shape.targetPanels + panels - 1) / panels
      solving += Self.solving(
        rows: rows, inputs: shape.inputs, search: search,
        batches: work.solverBytes(inputs: shape.inputs).repeatsForBatches ? batches : 1)
    }
  }

  /// Bytes that pass through.
  init(reading: Int, writing: Int) {
    reads = Double(reading)
    writes = Double(writing)
  }

  /// Products of some tokens with all weights.
  init(products: Double, reads: Double) {
    self.products = products
    self.reads = reads
  }
}

internal import SparseCore

/// Runs sequences through a dense model and sums up what each stage of some blocks reads.
///
/// At any time memory holds the hidden states of the sequences, one stage's weights and one stage's sums.
struct StatisticsCollection {
  let model: LanguageModel
  let manifest: StatisticsManifest
  let compute: Compute
  var batch = BatchSize()

  /// Hands the tensors of each stage to `write`, in pieces, as soon as they are known.
  ///
  /// The blocks before those asked for are run and not looked at; nothing behind the last input that is
  /// asked for is run.
  ///
  /// - Throws: ``ModelError/nonFiniteActivations(block:stage:)``, ``StatisticsError/tooLarge(block:stage:sum:limit:)``,
  ///   and what `write` and `progress` throw.
  func run(
    on windows: TokenWindows,
    write: (_ bytes: ByteView, _ name: String, _ offset: Int) throws -> Void,
    progress: ProgressHandler
  ) throws {
    let chunks = windows.groups(ofTokens: batch.chunkTokens)
    var hidden = try chunks.map { try model.embed(windows[$0], source: "calibration") }
    model.releaseEmbedding()
    var remaining = manifest.stages[...]
    let blocks = model.blocks[..<manifest.blocks.upperBound]
    var done = 0
    for (index, block) in blocks.enumerated() {
      var states = hidden.map {
        BlockState(hidden: $0, positions: .sequences(length: windows.length))
      }
      hidden = []
      for stage in type(of: block).stages {
        let step = "block \(index + 1) of \(blocks.count), \(stage.name)"
        let key = manifest.blocks.contains(index) ? remaining.popFirst() : nil
        var sums = key.map { StageSums(kind: manifest.kind, inputs: $0.inputs) }
        // Behind the last inputs nothing is needed.
        let goesOn = key == nil || !remaining.isEmpty
        var weights: [String: PackedWeight] = [:]
        if goesOn {
          for layer in stage.linears.map(block.linear) {
            weights[layer.name] = PackedWeight(layer.weight, on: compute)
          }
        }
        for chunk in states.indices {
          try progress(
            RunProgress(
              step: step, done: done,
              total: blocks.count * type(of: block).stages.count * chunks.count))
          let input = block.input(of: stage, from: states[chunk], on: compute)
          sums?.add(input, length: windows.length, on: compute)
          if goesOn {
            let outputs = block.outputs(of: stage, for: input) { layer, x in
              guard let weight = weights[layer.name] else {
                preconditionFailure("\(layer.name) is not among the layers of \(stage.name)")
              }
              return linear(x, weight, on: compute)
            }
            block.finish(stage, outputs: outputs, state: &states[chunk], on: compute)
          }
          done += 1
        }
        if let key, let sums { try sums.write(key, manifest, write: write) }
      }
      hidden = states.map(\.hidden)
      for name in type(of: block).stages.flatMap(\.linears) {
        model.checkpoint.release(block.linear(name).name)
      }
      Allocator.returnFreedMemory()
    }
  }
}

/// What is summed up of one stage's inputs.
private struct StageSums {
  private var squares: ExactSquares?
  private var gram: ExactGram?
  private var maxima: InputMaxima

  init(kind: StatisticsKind, inputs: Int) {
    squares = kind == .norms ? ExactSquares(inputs: inputs) : nil
    gram = kind == .gram ? ExactGram(inputs: inputs) : nil
    maxima = InputMaxima(inputs: inputs)
  }

  /// Takes in the activations of whole sequences of `length` tokens, one after the other.
  mutating func add(_ activations: Matrix, length: Int, on compute: Compute) {
    maxima.add(activations, on: compute)
    for start in stride(from: 0, to: activations.rows, by: length) {
      let columns = activations.columns
      let sequence = Matrix(
        rows: length, columns: columns,
        Array(activations.values[start * columns..<(start + length) * columns]))
      squares?.add(sequence: sequence, on: compute)
      gram?.add(sequence: sequence, on: compute)
    }
  }

  func write(
    _ stage: StatisticsManifest.StageKey, _ manifest: StatisticsManifest,
    write: (_ bytes: ByteView, _ name: String, _ offset: Int) throws -> Void
  ) throws {
    let largest = squares?.largest ?? gram?.largest ?? 0
    guard largest.isFinite else {
      throw ModelError.nonFiniteActivations(block: stage.block, stage: stage.stage)
    }
    guard largest < ExactSums.limit else {
      throw StatisticsError.tooLarge(
        block: stage.block, stage: stage.stage, sum: largest, limit: ExactSums.limit)
    }
    try write(ByteView(valuesOf: maxima.maxima), stage.maxima, 0)
    let name = manifest.sumsName(stage)
    let isWhole = manifest.hasAllSamples
    if let sums = squares?.sums {
      if isWhole {
        try write(ByteView(valuesOf: (0..<sums.count).map { sums[$0] }), name, 0)
      } else {
        try write(ByteView(valuesOf: sums.coarse), name + StatisticsManifest.coarse, 0)
        try write(ByteView(valuesOf: sums.fine), name + StatisticsManifest.fine, 0)
      }
    }
    guard let gram else { return }
    let rowsAtOnce = max(1, (1 << 20) / gram.inputs)
    for first in stride(from: 0, to: gram.inputs, by: rowsAtOnce) {
      let rows = first..<min(first + rowsAtOnce, gram.inputs)
      let place = Gram.triangleCount(inputs: first)
      if isWhole {
        try write(ByteView(valuesOf: gram.roundedTriangle(rows: rows)), name, 4 * place)
      } else {
        let (coarse, fine) = gram.triangle(rows: rows)
        try write(ByteView(valuesOf: coarse), name + StatisticsManifest.coarse, 8 * place)
        try write(ByteView(valuesOf: fine), name + StatisticsManifest.fine, 8 * place)
      }
    }
  }
}

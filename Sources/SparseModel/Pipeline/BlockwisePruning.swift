public import SparseCore

/// Prunes a model block by block and stage by stage, so that every layer sees the inputs that the already pruned layers before it produce.
struct BlockwisePruning {
  let model: Decoder
  let pruner: any Pruner
  let targets: Set<String>
  let compute: Compute
  var batch = BatchSize()
  /// Whether a layer that another method had to stand in for is an error.
  var isStrict = false

  /// Prunes every target and hands its bytes to `write` as soon as they are known.
  ///
  /// - Returns: what became of each layer, in the order in which they run.
  func run(
    on windows: TokenWindows, write: (_ name: String, _ weight: StoredMatrix) throws -> Void,
    progress: ProgressHandler
  ) throws -> [LayerReport] {
    let chunks = windows.groups(ofTokens: batch.chunkTokens)
    var meter = WorkMeter(model: model, chunks: chunks.count)
    var hidden = try chunks.map { try model.embed(windows[$0], source: "calibration") }
    model.releaseEmbedding()
    var reports: [LayerReport] = []
    for (index, block) in model.blocks.enumerated() {
      var states = hidden.map {
        BlockState(hidden: $0, positions: .sequences(length: windows.length))
      }
      hidden = []
      for stage in type(of: block).stages {
        meter.begin(block: index, stage: stage.name)
        let weights = try prune(
          stage, of: block, index: index, states: states, windows: windows, reports: &reports,
          write: write
        ) { try progress(meter.progress) }
        for chunk in states.indices {
          let input = block.input(of: stage, from: states[chunk], on: compute)
          let outputs = block.outputs(of: stage, for: input) { layer, x in
            guard let weight = weights[layer.name] else {
              preconditionFailure("\(layer.name) is not among the layers of stage \(stage.name)")
            }
            return linear(x, weight, on: compute)
          }
          block.finish(stage, outputs: outputs, state: &states[chunk], on: compute)
          meter.advance(by: stage.linears.map { block.linear($0).weight })
          try progress(meter.progress)
        }
      }
      hidden = states.map(\.hidden)
      for name in type(of: block).stages.flatMap(\.linears) {
        model.checkpoint.release(block.linear(name).name)
      }
      Allocator.returnFreedMemory()
    }
    return reports
  }

  /// Prunes the targets among a stage's layers and gives all of its layers' weights, ready to multiply.
  private func prune(
    _ stage: Stage, of block: any DecoderBlock, index: Int, states: [BlockState],
    windows: TokenWindows, reports: inout [LayerReport],
    write: (_ name: String, _ weight: StoredMatrix) throws -> Void, afterChunk: () throws -> Void
  ) throws -> [String: PackedWeight] {
    let layers = stage.linears.map(block.linear)
    var weights: [String: PackedWeight] = [:]
    guard layers.contains(where: { targets.contains($0.name) }) else {
      for layer in layers { weights[layer.name] = PackedWeight(layer.weight, on: compute) }
      return weights
    }
    var statistics = StatisticsCollector(needs: pruner.needs, inputs: layers[0].weight.columns)
    // A gram tells the errors on all tokens; without one they are measured on some.
    var sample = pruner.needs == .gram ? nil : InputSample(windows: windows)
    for state in states {
      let input = block.input(of: stage, from: state, on: compute)
      statistics.add(input, on: compute)
      sample?.add(input)
      try afterChunk()
    }
    let inputs = statistics.result
    guard inputs.norms?.allSatisfy(\.isFinite) ?? true,
      sample?.inputs.countNotFinite(on: compute) ?? 0 == 0
    else {
      throw ModelError.nonFiniteActivations(block: index, stage: stage.name)
    }
    var solver: (any LayerSolver)?
    for layer in layers {
      guard targets.contains(layer.name) else {
        weights[layer.name] = PackedWeight(layer.weight, on: compute)
        continue
      }
      let clock = ContinuousClock()
      let start = clock.now
      let pruned = try prune(layer, inputs: inputs, solver: &solver)
      try write(layer.name, pruned.weight)
      weights[layer.name] = PackedWeight(pruned.weight, on: compute)
      let error =
        switch inputs {
        case .gram(let gram):
          OutputError(of: pruned.weight, for: layer.weight, gram: gram, on: compute)
        case .none, .norms:
          sample.map {
            OutputError(of: pruned.weight, for: layer.weight, inputs: $0.inputs, on: compute)
          }
        }
      reports.append(
        LayerReport(
          name: layer.name, block: index, stage: stage.name,
          shape: [layer.weight.rows, layer.weight.columns],
          seconds: (clock.now - start).seconds, error: error,
          sparsity: PatternCheck(pruned.weight, on: compute).sparsity,
          dampening: pruned.dampening, fallback: pruned.fallback?.method))
    }
    return weights
  }

  /// A layer's weight after pruning, in the type that it is stored in, and how it came about.
  private struct PrunedLayer {
    let weight: StoredMatrix
    var dampening: Double?
    var fallback: PrunedWeight.Fallback?
  }

  /// Prunes one layer.
  ///
  /// - Parameter solver: made with the first layer of a stage, for those that follow.
  private func prune(
    _ layer: LinearLayer, inputs: InputStatistics, solver: inout (any LayerSolver)?
  ) throws -> PrunedLayer {
    do throws(PruningError) {
      if let masking = pruner as? any MaskingPruner {
        let mask = try masking.mask(for: layer.weight, inputs: inputs, on: compute)
        return PrunedLayer(weight: mask.applied(to: layer.weight, on: compute))
      }
      let matrix = Matrix(layer.weight, on: compute)
      let result: PrunedWeight
      if let solving = pruner as? any SolvingPruner {
        let shared: any LayerSolver
        if let solver {
          shared = solver
        } else {
          shared = try solving.solver(for: inputs, on: compute)
        }
        solver = shared
        result = try shared.prune(matrix, on: compute)
      } else {
        result = try pruner.prune(matrix, inputs: inputs, on: compute)
      }
      if isStrict, let fallback = result.fallback { throw fallback.reason }
      let weight = StoredMatrix(result.weight, as: layer.weight.type, on: compute)
      let bad = weight.countNotFinite(on: compute)
      guard bad == 0 else { throw .overflow(count: bad) }
      return PrunedLayer(
        weight: weight, dampening: result.dampening, fallback: result.fallback)
    } catch {
      throw LayerError(layer: layer.name, model: model.checkpoint.path, reason: error)
    }
  }
}

/// An error of pruning with the layer that it came from.
public struct LayerError: Error, CustomStringConvertible {
  /// The weight's name.
  public let layer: String
  /// The checkpoint's path.
  public let model: String
  /// What went wrong.
  public let reason: PruningError

  /// One line that names the file and the tensor.
  public var description: String { "\(model): tensor '\(layer)': \(reason)" }
}

/// Counts the multiplications of a run, so that the time left can be told.
private struct WorkMeter {
  private var done = 0
  private let total: Int
  private let blocks: Int
  private var step = ""

  init(model: Decoder, chunks: Int) {
    let weights = model.blocks.flatMap { block in
      type(of: block).stages.flatMap(\.linears).map { block.linear($0).weight }
    }
    total = weights.reduce(0) { $0 + $1.rows * $1.columns } * chunks
    blocks = model.blocks.count
  }

  mutating func begin(block: Int, stage: String) {
    step = "block \(block + 1) of \(blocks), \(stage)"
  }

  mutating func advance(by weights: [StoredMatrix]) {
    done += weights.reduce(0) { $0 + $1.rows * $1.columns }
  }

  var progress: Progress { Progress(step: step, done: done, total: total) }
}

internal import SparseCore

/// What calibration has found about a stage's inputs.
struct StageInputs {
  /// What the method needs.
  private(set) var statistics: InputStatistics
  /// Some of the inputs, on which errors are measured where there is no gram.
  private(set) var sample: Matrix?
  /// The largest magnitude of each input, where it was asked for.
  let maxima: [Float]?

  /// Goes over to the order and the scale in which the stage's layers are pruned.
  mutating func enter(_ space: StageSpace, on compute: Compute) {
    guard !space.isIdentity else { return }
    statistics = space.entering(statistics, on: compute)
    sample = sample.map { space.entering(inputs: $0, on: compute) }
  }

  /// How far a layer's outputs on these inputs are from what they were; nil where nothing is known of the inputs.
  ///
  /// A gram tells the errors on all tokens; without one they are measured on some.
  func error(
    of changed: RowSource, for original: RowSource, stripeBytes: Int, on compute: Compute
  ) -> OutputError? {
    if case .gram(let gram) = statistics {
      return OutputError(
        of: changed, for: original, gram: gram, stripeBytes: stripeBytes, on: compute)
    }
    return sample.map { OutputError(of: changed, for: original, inputs: $0, on: compute) }
  }
}

/// Collects what a recipe needs to know about a stage's inputs, chunk by chunk.
struct StageInputCollector {
  private var statistics: StatisticsCollector
  private var sample: InputSample?
  private var maxima: InputMaxima?

  init(_ recipe: StageRecipe, inputs: Int, windows: TokenWindows) {
    statistics = StatisticsCollector(needs: recipe.needs, inputs: inputs)
    sample =
      recipe.needs == .gram ? nil : InputSample(windows: windows.count, length: windows.length)
    maxima = recipe.smoothing == nil ? nil : InputMaxima(inputs: inputs)
  }

  /// Takes in the activations of the next windows, `tokens × inputs`.
  mutating func add(_ activations: Matrix, on compute: Compute) {
    statistics.add(activations, on: compute)
    sample?.add(activations)
    maxima?.add(activations, on: compute)
  }

  /// What was found; nil where activations are NaN or infinite.
  consuming func result(on compute: Compute) -> StageInputs? {
    statistics.close(on: compute)
    let (statistics, sample) = (statistics.result, sample?.inputs)
    guard statistics.norms?.allSatisfy(\.isFinite) ?? true,
      sample?.countNotFinite(on: compute) ?? 0 == 0
    else { return nil }
    return StageInputs(statistics: statistics, sample: sample, maxima: maxima?.maxima)
  }
}

internal import SparseCore

/// What a model's predictions of some windows follow from, kept so that others can be compared with it.
///
/// The model is run once. Its last hidden states wait in a scratch file: `4 · width` bytes a token, where logits
/// would take `4 · vocabulary`. A comparison only repeats the output projection.
final class ReferenceStates {
  private let model: LanguageModel
  private let windows: TokenWindows
  private let file: ScratchFile
  private let batch: BatchSize

  /// Runs the model over windows.
  ///
  /// - Parameter path: what the scratch file lies beside.
  init(
    of model: LanguageModel, over windows: TokenWindows, beside path: String,
    batch: BatchSize = BatchSize(), on compute: Compute, progress: ProgressHandler
  ) throws {
    self.model = model
    self.windows = windows
    self.batch = batch
    try model.checkPredictable(windows)
    file = try ScratchFile(
      beside: path, size: Self.byteCount(tokens: windows.ids.count, model.configuration))
    let groups = windows.groups(ofTokens: batch.hiddenTokens(width: model.configuration.width))
    for group in groups {
      let part = TokenWindows(
        count: group.count, length: windows.length, ids: Array(windows[group]))
      let states = try model.hiddenStates(
        of: part, .float32, chunkTokens: batch.chunkTokens, on: compute
      ) { block in
        try progress(
          RunProgress(
            step: "evaluate", done: group.lowerBound * model.blocks.count + block * group.count,
            total: windows.count * model.blocks.count))
      }
      for (chunk, state) in zip(part.groups(ofTokens: batch.chunkTokens), states) {
        try file.write(state.values, at: offset(ofWindow: group.lowerBound + chunk.lowerBound))
      }
    }
  }

  /// The bytes of the scratch file.
  static func byteCount(tokens: Int, _ configuration: ModelConfiguration) -> Int {
    4 * configuration.width * tokens
  }

  private func offset(ofWindow window: Int) -> Int {
    Self.byteCount(tokens: window * windows.length, model.configuration)
  }

  /// How another model predicts the windows in comparison with this one; nil for the comparison with itself.
  ///
  /// - Throws: the errors of ``LanguageModel/comparison(with:over:activations:on:progress:)``, those of reading the
  ///   scratch file, and what `progress` throws.
  func comparison(
    with other: LanguageModel?, activations: ActivationType, on compute: Compute,
    progress: ProgressHandler
  ) throws -> ModelComparison {
    try other?.checkActivations(activations)
    let kept = ComparedModel(model: model, activations: .float32, blocks: 0) {
      [self] group, part, _ in
      try part.groups(ofTokens: batch.chunkTokens).map { chunk in
        try file.read(
          rows: chunk.count * windows.length, columns: model.configuration.width,
          at: offset(ofWindow: group.lowerBound + chunk.lowerBound))
      }
    }
    let other = other.map {
      ComparedModel(running: $0, activations, chunkTokens: batch.chunkTokens, on: compute)
    }
    return try ComparisonWalk(
      reference: kept, other: other ?? kept, windows: windows, batch: batch, compute: compute
    ).run(progress: progress)
  }
}

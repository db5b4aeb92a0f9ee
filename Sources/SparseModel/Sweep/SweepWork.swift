internal import SparseCore

/// How one row of a sweep is made and measured.
struct SweepWork {
  let path: String
  let options: SweepOptions
  let folder: SweepFolder
  let reference: ReferenceStates
  let model: LanguageModel
  let tokens: TokenWindows?
  let ids: [Int32]  // what the models are fed while their speed is measured
  let compute: Compute

  /// Makes the variant's model, measures it, and removes it unless it is to be kept.
  func row(_ variant: SweepVariant, progress: ProgressHandler) throws -> SweepRow {
    let made = try make(variant, progress: progress)
    let other = try made.map {
      try LanguageModel(Checkpoint(path: $0.measured), positions: model.positions)
    }
    let comparison = try reference.comparison(
      with: other, activations: options.activations, on: compute, progress: progress)
    let rates = try DecodeSpeed().measure(
      [other ?? model], on: ids, compute: compute, progress: progress)
    if options.keepsModels && !variant.isInput {
      try folder.keep(variant)
    } else {
      try folder.remove(variant)
    }
    return SweepRow(
      variant: variant, comparison: comparison, relativeError: made?.relativeError,
      bytes: (other ?? model).checkpoint.byteCount, seconds: made?.seconds ?? 0,
      decodeRate: rates[0],
      output: options.keepsModels && !variant.isInput ? folder.place(variant) : nil)
  }

  /// A model that was made.
  private struct Made {
    /// The path of the form that is measured.
    let measured: String
    /// Seconds of pruning or quantizing.
    let seconds: Double
    /// The relative output error of the linear layers, where it is known.
    var relativeError: Double?
  }

  /// Makes the variant's model; nil where it is the input.
  private func make(_ variant: SweepVariant, progress: ProgressHandler) throws -> Made? {
    let output = folder.workPlace(variant)
    guard let method = variant.method else {
      if variant.isInput { return nil }
      let report = try QuantizeRun(path, QuantizeOptions(output: output))
        .run(on: compute, progress: progress)
      return Made(measured: output, seconds: report.seconds)
    }
    let pruning = options.pruning(method, variant.quantization, output: output)
    let report = try PruneRun(path, pruning, tokens: tokens).run(on: compute, progress: progress)
    let compressed = folder.compressedPlace(variant)
    _ = try CompressRun(output, EncodingOptions(output: compressed), on: compute)
      .run(on: compute, progress: progress)
    return Made(
      measured: compressed, seconds: report.seconds,
      relativeError: report.meanSquaredRelativeError?.squareRoot())
  }
}

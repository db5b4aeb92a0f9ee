internal import SparseCore
internal import SparseModel

/// What a run of pruning has done, as people read it.
struct PruneSummary {
  private let report: PruneReport

  init(_ report: PruneReport) { self.report = report }

  /// The errors of trained blocks, those of pruning by block and stage where they were measured, then the totals.
  var text: String {
    let weights = report.layers.reduce(0) { $0 + $1.shape.reduce(1, *) }
    let zeros = report.layers.reduce(0.0) { $0 + $1.sparsity * Double($1.shape.reduce(1, *)) }
    var lines = trainedBlocks + errorTable
    if let (calibration, errorTokens) = report.calibration {
      lines +=
        "calibration  \(calibration.source.printable), \(calibration.samples) × \(calibration.length)"
        + " tokens"
        + (errorTokens > 0 ? "; errors measured on \(errorTokens)\n" : "\n")
    }
    if let error = report.meanSquaredRelativeError {
      lines +=
        "rel²         \(Format.fixed(error, 4)) (geometric mean over stages of the squared relative output error\(beforeTraining))\n"
    }
    let sparse = report.layers.count { !$0.isDense }
    lines += "pruned       \(sparse.counting("weight")) by \(report.method), "
    lines +=
      "\(Format.fixed(100 * zeros / Double(max(1, weights)), 1)) % of \(weights.counting("value")) are zero"
    lines += report.layers.contains { $0.scaleRange != nil } ? ", INT8\n" : "\n"
    let dense = report.options.keptDense.count
    if dense > 0 {
      lines +=
        "dense        \(dense.counting("weight")), by sensitivity\(sparse < report.layers.count ? ", INT8 too" : "")\n"
    }
    let fallen = report.layers.filter { $0.fallback != nil }
    if let first = fallen.first, let method = first.fallback {
      lines +=
        "fallback     \(method.rawValue) for \(fallen.count.counting("weight")) whose inputs' gram is not positive definite,"
        + " \(first.name.printable) the first\n"
    }
    if let perplexity = report.perplexity {
      let (before, after) = (perplexity.before, perplexity.after)
      lines +=
        "perplexity   \(Format.fixed(before.perplexity, 3)) before, \(Format.fixed(after.perplexity, 3)) after\n"
      lines +=
        "             on \(perplexity.text.printable), \(after.windows.counting("window")) of \(after.length) tokens\n"
    }
    lines += "time         \(Format.duration(report.seconds)), "
    lines += "\(Format.bytes(report.peakResidentBytes)) of memory at most\n"
    lines += writing
    return lines + "output       \(report.output.printable)\n"
  }

  /// What of the time went into the calibration text; nothing where the model wrote none.
  private var writing: String {
    guard let seconds = report.writingSeconds, report.seconds > 0 else { return "" }
    return
      "             \(Format.duration(seconds)) of it (\(Format.percent(seconds / report.seconds))) "
      + "to write the calibration text, which --calibration FILE saves\n"
  }

  private var beforeTraining: String { report.isTrained ? ", before training" : "" }

  /// The errors of the blocks that were trained one by one.
  private var trainedBlocks: String {
    guard !report.blocks.isEmpty else { return "" }
    return "Error of each block's outputs\(report.afterBlocks)\n"
      + Table(errorsOf: report.blocks).text + "\n"
  }

  /// A row for each block: the relative output error of each of its stages.
  private var errorTable: String {
    let stages = report.stages
    guard !stages.isEmpty else { return "" }
    let names = stages.reduce(into: [String]()) { names, stage in
      if !names.contains(stage.stage) { names.append(stage.stage) }
    }
    var table = Table([("block", .right)] + names.map { ($0, .right) })
    for block in Set(stages.map(\.block)).sorted() {
      table.append(
        ["\(block)"]
          + names.map { name in
            stages.first { $0.block == block && $0.stage == name }
              .map { Format.fixed($0.squaredRelativeError.squareRoot(), 3) } ?? "–"
          })
    }
    return "Relative output error\(beforeTraining)\n" + table.text + "\n"
  }
}

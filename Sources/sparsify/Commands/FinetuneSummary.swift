internal import SparseCore
internal import SparseModel

/// What a run of training has done, as people read it.
struct FinetuneSummary {
  private let report: FinetuneReport
  private let isPart: Bool

  /// - Parameter isPart: whether a summary of more says how long it all took, and where it is.
  init(_ report: FinetuneReport, isPart: Bool = false) {
    self.report = report
    self.isPart = isPart
  }

  /// The measurements, then the totals.
  var text: String {
    var lines = measurements + blocks
    if let stop = report.log.earlyStop { lines += "\(stop.description)\n" }
    let steps = report.log.steps.count
    lines +=
      "trained      \(Format.grouped(report.trainedWeights)) weights"
      + (steps > 0 ? " in \(steps.counting("step"))" : "")
      + " on \(report.windows.count) windows of \(report.windows.length) tokens\n"
      + "held at 0    \(Format.grouped(report.prunedWeights)) weights of \(report.layers.sparse.counting("layer"))"
      + (report.layers.dense > 0 ? "; \(report.layers.dense) more not 2:4, trained whole" : "")
      + "\n"
    if isPart { return lines }
    lines +=
      "time         \(Format.duration(report.seconds)), at most \(Format.bytes(report.peakResidentBytes)) of memory\n"
      + "written      \(report.output.printable)\n"
    return lines
  }

  /// The errors of blocks, before and after.
  private var blocks: String {
    report.blocks.isEmpty ? "" : Table(errorsOf: report.blocks).text + "\n"
  }

  private var measurements: String {
    guard !report.log.evaluations.isEmpty else { return "" }
    var table = Table([
      ("after step", .right), ("divergence", .right), ("perplexity", .right), ("", .left),
    ])
    for evaluation in report.log.evaluations {
      table.append([
        "\(evaluation.step)",
        evaluation.loss.divergence.map { Format.fixed($0, 4) } ?? "–",
        Format.fixed(evaluation.loss.perplexity, 2),
        evaluation == report.best ? "kept" : "",
      ])
    }
    return table.text + "\n"
  }
}

extension Table {
  /// A row for each block: how far its outputs are from the dense model's, before its training and after it.
  init(errorsOf blocks: [BlockError]) {
    self.init([("block", .right), ("error before", .right), ("after", .right)])
    for block in blocks {
      append(["\(block.block)", Format.fixed(block.before, 4), Format.fixed(block.after, 4)])
    }
  }
}

internal import SparseCore
internal import SparseModel

/// The table of a sweep, as people read it.
struct SweepText {
  let report: SweepReport

  /// A row for each variant, then what the numbers are.
  var text: String {
    let text = report.rows.first?.comparison.reference
    let calibration = report.calibration.map {
      "\($0.source.printable), \($0.samples) × \($0.length) tokens, shared by all methods,"
        + " \(Format.duration($0.seconds)) to make"
    }
    return table + """

      *            no other row is as small and as close to dense, and better in one of the two
      divergence   mean of KL(dense ‖ row), nats a token; agreement: most likely tokens that are the same
      error        relative output error of the linear layers on the calibration (root of the geometric mean over \
      stages of its square)
      size         all tensors as stored, 2:4 weights as kept values and masks ('sparsify compress')
      decode       tokens a second on this machine, one sequence: median, slowest and fastest round
      text         \((text?.windows ?? 0).counting("window")) of \(text?.length ?? 0) tokens, \(text?.startText ?? "")
      calibration  \(calibration ?? "none")
      time         \(Format.duration(report.seconds)), \(Format.bytes(report.peakResidentBytes)) of memory at most

      """ + outputs
  }

  private var table: String {
    var table = Table([
      ("", .left), ("model", .left), ("perplexity", .right), ("divergence", .right), ("±", .right),
      ("agreement", .right), ("error", .right), ("size", .right), ("ratio", .right),
      ("time", .right), ("decode", .right),
    ])
    for row in report.rows {
      let divergence = row.comparison.divergence
      table.append([
        report.isBest(row) ? "*" : "", row.variant.name,
        Format.fixed(row.comparison.other.perplexity, 2), Format.fixed(divergence.mean, 4),
        Format.fixed(divergence.standardError, 4),
        Format.fixed(100 * row.comparison.agreement, 1) + " %",
        row.relativeError.map { Format.fixed($0, 3) } ?? "–", Format.bytes(row.bytes),
        Format.times(report.compressionRatio(of: row)),
        row.variant.isInput ? "–" : Format.duration(row.seconds), row.decodeRate.text,
      ])
    }
    return table.text
  }

  /// Where the models are that were kept.
  private var outputs: String {
    let outputs = report.rows.compactMap(\.output)
    guard let first = outputs.first else { return "" }
    return
      "output       \(outputs.count.counting("model")) in \(Path.folder(of: first).printable)\n"
  }
}

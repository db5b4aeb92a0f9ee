internal import SparseCore
internal import SparseModel

/// The parts of a model, the most sensitive first, as people read them.
struct SensitivityTable {
  let report: SensitivityReport
  /// How many parts are shown.
  let top: Int

  /// The table with a bar for each part, and what was measured how.
  var text: String {
    let ranked = report.ranked
    let most = ranked.first?.score ?? 0
    var table = Table(
      [("part", .left), ("weights", .right), ("error", .right), ("block error", .right)]
        + (report.isFast ? [] : [("KL", .right), ("perplexity", .right)]) + [("", .left)])
    for part in ranked.prefix(top) {
      var cells = [
        name(part), "\(part.weights)", Format.fixed(part.relativeError, 3),
        Format.fixed(part.blockError, 4),
      ]
      if let divergence = part.divergence, let perplexity = report.perplexity(part),
        let dense = report.dense
      {
        let change = perplexity - dense.perplexity
        cells += [
          Format.fixed(divergence, 5), (change < 0 ? "" : "+") + Format.fixed(change, 3),
        ]
      }
      table.append(cells + [bar(part.score, of: most)])
    }
    let hidden = ranked.count - min(top, ranked.count)
    let rest =
      hidden > 0 ? "… and \(hidden) less sensitive (--top \(ranked.count) shows all)\n" : ""
    return table.text + rest + "\n" + summary
  }

  private var summary: String {
    var lines = Table([("", .left), ("", .left)])
    let change =
      report.method == "none"
      ? "made INT8"
      : "pruned by \(report.method)"
        + (report.isQuantized ? ", INT8" : "")
    lines.append(["each", "\(change), all others dense"])
    lines.append(["error", "of the outputs, relative, on the calibration inputs"])
    lines.append([
      "block error", "of the residual stream after the block, relative, a mean over tokens",
    ])
    if let dense = report.dense {
      lines.append(["KL", "of the next token's distribution from the dense model's, nats a token"])
      lines.append([
        "perplexity",
        "by how much it rises from \(Format.fixed(dense.perplexity, 3)), by the loss of every second token",
      ])
    }
    lines.append([
      "text",
      "\(report.heldOut), \(report.heldOutSize.windows) × \(report.heldOutSize.length) tokens",
    ])
    if let calibration = report.calibration {
      lines.append([
        "calibration",
        "\(calibration.source), \(calibration.samples) × \(calibration.length) tokens",
      ])
    }
    lines.append([
      "time",
      "\(Format.duration(report.seconds)), \(Format.bytes(report.peakResidentBytes)) of memory at most",
    ])
    return lines.text
  }

  /// A weight's name without what all have in common.
  private func name(_ part: Sensitivity) -> String {
    let name = part.name.hasPrefix("model.") ? String(part.name.dropFirst(6)) : part.name
    return name.hasSuffix(".weight") ? String(name.dropLast(7)) : name
  }

  /// Twenty characters for the most sensitive part, eighths of them for the others.
  private func bar(_ score: Double, of most: Double) -> String {
    guard most > 0, score > 0 else { return "" }
    let eighths = max(1, Int((160 * min(1, score / most)).rounded()))
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }
}

internal import SparseCore
internal import SparseModel

/// Two models side by side, as people read it.
struct ComparisonText {
  let report: ComparisonReport

  /// A column for each model, then what lies between them, and what that means.
  var text: String {
    let comparison = report.comparison
    return sideBySide + "\n" + between + """

      protocol    \(comparison.reference.windows.counting("window")) of \(comparison.reference.length) tokens, \
      \(comparison.reference.protocolText)
      verdict     \(verdict)

      """
  }

  // MARK: Side by side

  private var sideBySide: String {
    let (a, b) = (report.reference, report.other)
    var table = Table([("", .left), ("reference", .right), ("model", .right), ("", .right)])
    func row(_ title: String, _ cell: (ComparisonReport.Model) -> String, _ change: String = "") {
      table.append([title, cell(a), cell(b), change])
    }
    row("", { Path.name(of: $0.path) })
    row(
      "perplexity", { Format.fixed($0.perplexity.perplexity, 3) },
      Format.change(report.comparison.perplexityRatio))
    row(
      "size", { Format.bytes($0.profile.bytes) },
      Format.change(Double(b.profile.bytes) / Double(max(1, a.profile.bytes))))
    row("parameters", { "\($0.profile.parameters)" })
    row("weights", { Self.weights($0.profile) })
    row("zeros", { Format.fixed(100 * $0.profile.zeroShare, 1) + " %" })
    row("2:4", { "\($0.profile.sparseLinears) of \($0.profile.linears)" })
    row(
      "prefill", { Format.fixed($0.prefillRate.median, 0) + " tokens/s" },
      Self.change(report.prefillChange))
    row(
      "decode", { Format.fixed($0.decodeRate.median, 1) + " tokens/s" },
      Self.change(report.decodeChange))
    return table.text
  }

  /// `1.25× (1.21× to 1.28×)`, where that is more than noise.
  private static func change(_ change: SpeedChange) -> String {
    guard change.isBeyondNoise else { return "no difference beyond noise" }
    let (least, most) = (change.spread.lowerBound, change.spread.upperBound)
    return "\(Format.times(change.ratio)) (\(Format.times(least)) to \(Format.times(most)))"
  }

  private static func weights(_ profile: ModelProfile) -> String {
    let types = profile.types.joined(separator: ", ")
    return profile.compressedLinears == 0 ? types : types + " compressed"
  }

  // MARK: Between them

  private var between: String {
    let divergence = report.comparison.divergence
    func nats(_ value: Double) -> String { Format.fixed(value, 4) }
    return """
      divergence  \(nats(divergence.mean)) ± \(nats(divergence.standardError)) nats a token (mean of KL, and its \
      standard error)
                  median \(nats(divergence.median)), 99 % within \(nats(divergence.percentile99)), 99.9 % within \
      \(nats(divergence.percentile999))
      agreement   \(Format.fixed(100 * report.comparison.agreement, 2)) % of the most likely tokens are the same
      """
  }

  // MARK: What it means

  private var verdict: String {
    let comparison = report.comparison
    let size = Double(report.other.profile.bytes) / Double(max(1, report.reference.profile.bytes))
    let speed = report.decodeChange
    let sizes =
      abs(size - 1) < 0.005 ? "at the same size" : "at \(Format.fixed(100 * size, 0)) % of its size"
    let speeds =
      speed.isBeyondNoise
      ? "decodes \(Format.times(speed.ratio)) as fast" : "decodes as fast, but for noise"
    let (sparse, compressed) = (
      report.other.profile.sparseLinears, report.other.profile.compressedLinears
    )
    let hint =
      sparse > compressed
      ? "; 'sparsify compress' would store its 2:4 weights in little over half" : ""
    return "\(Self.words(comparison.verdict)), \(sizes), \(speeds)\(hint)"
  }

  private static func words(_ verdict: ModelComparison.Verdict) -> String {
    switch verdict {
    case .same: "predicts exactly as the reference does"
    case .indistinguishable: "hardly to be told from the reference"
    case .close: "close to the reference"
    case .changed: "clearly changed from the reference"
    case .far: "far from the reference"
    }
  }
}

extension Format {
  /// `+12.3 %` for 1.123 times; nothing where nothing changes.
  static func change(_ ratio: Double) -> String {
    let percent = fixed(100 * (ratio - 1), 1)
    return percent == "0.0" ? "" : "\(ratio > 1 ? "+" : "")\(percent) %"
  }

  /// `1.25×`.
  static func times(_ ratio: Double) -> String { fixed(ratio, 2) + "×" }
}

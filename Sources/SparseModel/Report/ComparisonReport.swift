public import SparseCore

/// Two models side by side: how well they predict, how large they are, and how fast on this machine.
public struct ComparisonReport: Sendable {
  /// One of the models.
  public struct Model: Sendable {
    /// The path that it was opened by.
    public let path: String
    /// How well it predicts the text.
    public let perplexity: Perplexity
    /// What its weights are.
    public let profile: ModelProfile
    /// Tokens a second of the pass that was run for the comparison, many at a time.
    public let prefillRate: MeasuredRate
    /// Tokens a second where it writes a single sequence.
    public let decodeRate: MeasuredRate
  }

  /// The model that the other is compared with.
  public let reference: Model
  /// The other model.
  public let other: Model
  /// How far their predictions are apart.
  public let comparison: ModelComparison

  /// How the other model's speed differs in the pass that was run for the comparison.
  public var prefillChange: SpeedChange { other.prefillRate.change(from: reference.prefillRate) }

  /// How the other model's speed differs where a single sequence is written.
  public var decodeChange: SpeedChange { other.decodeRate.change(from: reference.decodeRate) }

  /// Compares two models in every respect.
  ///
  /// - Throws: the errors of ``LanguageModel/comparison(with:over:activations:on:progress:)``,
  ///   ``Checkpoint/profile(on:progress:)`` and ``DecodeSpeed``.
  public init(
    comparing reference: LanguageModel, with other: LanguageModel, over windows: TokenWindows,
    activations: ActivationType = .float32, on compute: Compute = .automatic,
    progress: ProgressHandler = { _ in }
  ) throws {
    // First, as it brings all weights into the system's cache, and neither model has to wait for the disk.
    let profiles = try [reference, other].map {
      try $0.checkpoint.profile(on: compute, progress: progress)
    }
    let comparison = try reference.comparison(
      with: other, over: windows, activations: activations, on: compute, progress: progress)
    let rates = try DecodeSpeed().measure(
      [reference, other], on: Array(windows[0]), compute: compute, progress: progress)
    self.reference = Model(
      path: reference.checkpoint.path, perplexity: comparison.reference, profile: profiles[0],
      prefillRate: comparison.referenceRate, decodeRate: rates[0])
    self.other = Model(
      path: other.checkpoint.path, perplexity: comparison.other, profile: profiles[1],
      prefillRate: comparison.otherRate, decodeRate: rates[1])
    self.comparison = comparison
  }

  /// The report as the `compare` contract has it.
  public var json: JSON {
    [
      "schema": 1, "windows": .integer(comparison.reference.windows),
      "length": .integer(comparison.reference.length),
      "tokens": .integer(comparison.reference.tokens),
      "reference": reference.json, "other": other.json,
      "divergence": comparison.divergence.json, "agreement": .number(comparison.agreement),
      "perplexityRatio": .number(comparison.perplexityRatio),
      "verdict": .string(comparison.verdict.rawValue),
      "prefillChange": prefillChange.json, "decodeChange": decodeChange.json,
    ]
  }
}

extension ComparisonReport.Model {
  fileprivate var json: JSON {
    .object(
      [
        JSON.Member(key: "path", value: .string(path)),
        JSON.Member(key: "perplexity", value: .number(perplexity.perplexity)),
        JSON.Member(key: "nll", value: .number(perplexity.meanNegativeLogLikelihood)),
        JSON.Member(key: "activations", value: .string(perplexity.activations.rawValue)),
      ] + profile.members + [
        JSON.Member(key: "prefillTokensPerSecond", value: .number(prefillRate.median)),
        JSON.Member(key: "prefillSpread", value: prefillRate.spread.json),
        JSON.Member(key: "decodeTokensPerSecond", value: .number(decodeRate.median)),
        JSON.Member(key: "decodeSpread", value: decodeRate.spread.json),
      ])
  }
}

extension SpeedChange {
  fileprivate var json: JSON {
    ["ratio": .number(ratio), "spread": spread.json, "beyondNoise": .bool(isBeyondNoise)]
  }
}

extension ClosedRange<Double> {
  /// The lower and the upper bound.
  var json: JSON { [.number(lowerBound), .number(upperBound)] }
}

public import SparseCore

/// How well two models predict the same text, and how far their predictions are apart.
///
/// ```swift
/// let comparison = try dense.comparison(with: pruned, over: windows)
/// print(comparison.divergence.mean, comparison.agreement)
/// ```
public struct ModelComparison: Sendable {
  /// The perplexity of the model that the other is compared with, as evaluating it alone gives it.
  public let reference: Perplexity
  /// The perplexity of the other model.
  public let other: Perplexity
  /// KL(reference ‖ other) of the distributions of every predicted token.
  public let divergence: Divergence
  /// The share of predicted tokens for which both models find the same token most likely.
  public let agreement: Double
  /// Tokens a second at which the reference gave its logits; a round is a group of windows.
  public let referenceRate: MeasuredRate
  /// Tokens a second at which the other model gave its logits for the same groups; the two take turns.
  public let otherRate: MeasuredRate

  /// The other model's perplexity as a multiple of the reference's.
  public var perplexityRatio: Double {
    Math.exponential(other.meanNegativeLogLikelihood - reference.meanNegativeLogLikelihood)
  }

  /// What the divergence means.
  public var verdict: Verdict {
    if divergence.maximum == 0 { return .same }
    let bounds: [(Double, Verdict)] = [(0.01, .indistinguishable), (0.1, .close), (0.5, .changed)]
    return bounds.first { divergence.mean < $0.0 }?.1 ?? .far
  }

  /// How far a model is from its reference, in steps of the perplexity that it has on the reference's own text.
  ///
  /// The steps are a rule of thumb.
  public enum Verdict: String, Sendable {
    /// Not at all.
    case same
    /// A mean divergence below 0.01: at most 1 % more perplexity.
    case indistinguishable
    /// Below 0.1: at most 11 % more.
    case close
    /// Below 0.5: at most 65 % more.
    case changed
    /// Anything beyond.
    case far
  }
}

extension LanguageModel {
  /// How another model predicts windows of tokens in comparison with this one, the reference.
  ///
  /// Both run group of windows by group, and their logits meet a slice of the vocabulary at a time: memory holds
  /// one block's weights and the group's hidden states. Positions are those of
  /// ``perplexity(of:activations:on:progress:)``: all but the last of each window.
  ///
  /// - Parameter activations: INT8 for what W8A8 models compute; a model without INT8 weights runs in float32.
  /// - Throws: ``ComparisonError`` for vocabularies of different sizes, ``ModelError`` and ``EvaluationError`` as
  ///   the perplexity does, the latter where neither model has INT8 weights for INT8 activations, and what
  ///   `progress` throws.
  public func comparison(
    with other: LanguageModel, over windows: TokenWindows, activations: ActivationType = .float32,
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> ModelComparison {
    try comparison(
      with: other, over: windows, activations: activations, batch: BatchSize(), on: compute,
      progress: progress)
  }

  /// The same, with as many tokens at a time as `batch` says.
  func comparison(
    with other: LanguageModel, over windows: TokenWindows, activations: ActivationType = .float32,
    batch: BatchSize, on compute: Compute, progress: ProgressHandler
  ) throws -> ModelComparison {
    if activations == .int8 && !hasInt8Weights && !other.hasInt8Weights {
      throw EvaluationError.noInt8Weights(model: other.checkpoint.path)
    }
    for model in [self, other] { try model.checkActivations(activations) }
    let models = [self, other].map {
      ComparedModel(running: $0, activations, chunkTokens: batch.chunkTokens, on: compute)
    }
    return try ComparisonWalk(
      reference: models[0], other: models[1], windows: windows, batch: batch, compute: compute
    ).run(progress: progress)
  }
}

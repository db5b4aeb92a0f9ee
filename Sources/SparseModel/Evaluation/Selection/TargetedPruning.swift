public import SparseCore

/// Pruning as much as a bound on the perplexity allows.
///
/// Layers are chosen by the sum of what each would cost alone. What they cost together is measured on the pruned
/// model, and where that is too much, fewer are chosen and the model is pruned again.
///
/// ```swift
/// let pruning = try TargetedPruning("model", options, ranking, times, measure: measure, atMost: 40)
/// let report = try pruning.run()
/// ```
public struct TargetedPruning: Sendable {
  /// The most runs of pruning; after them the last one's result stands, whether it is good enough or not.
  public static let attempts = 4

  private let path: String
  private let options: PruneOptions
  private let ranking: SensitivityRanking
  private let times: LinearTimes
  private let measure: PerplexityMeasure
  private let bound: Double
  private let targets: [String]

  /// A search that has not begun.
  ///
  /// - Parameters:
  ///   - options: ``PruneOptions/keptDense`` is not looked at.
  ///   - ranking: with the losses of all weights.
  ///   - bound: the highest perplexity on the text of `measure`.
  /// - Throws: what stands against a run of pruning, and ``SensitivityError`` for a ranking that is no use.
  public init(
    _ path: String, _ options: PruneOptions, _ ranking: SensitivityRanking, _ times: LinearTimes,
    measure: PerplexityMeasure, atMost bound: Double
  ) throws {
    targets = try PruneRun(path, options).targets
    self.path = path
    self.options = options
    self.ranking = ranking
    self.times = times
    self.measure = measure
    self.bound = bound
    if try ranking.parts(of: targets, in: path).contains(where: { $0.lossIncrease == nil }) {
      throw SensitivityError.noLosses(source: ranking.source)
    }
  }

  /// Prunes until the perplexity is low enough, or ``attempts`` are over.
  ///
  /// - Returns: the last run, with its perplexity: the caller compares it with the bound.
  /// - Throws: ``SensitivityError/perplexityOutOfReach(asked:dense:)`` where the dense model's is as high already,
  ///   and the errors of pruning and evaluating.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PruneReport {
    let before = try measure.before(on: compute, progress: progress)
    let room = Math.logarithm(bound) - before.meanNegativeLogLikelihood
    guard room > 0 else {
      throw SensitivityError.perplexityOutOfReach(asked: bound, dense: before.perplexity)
    }
    var options = options
    var allowed = room
    var attempt = 1
    while true {
      options.keptDense = try SparsityTarget.lossIncrease(allowed).denseWeights(
        ranking, times, of: targets, in: path)
      var report = try PruneRun(path, options).run(on: compute, progress: progress)
      let after = try measure.after(report.output, on: compute, progress: progress)
      report.perplexity = PerplexityChange(text: measure.text, before: before, after: after)
      if after.perplexity <= bound || attempt == Self.attempts { return report }
      // As much less as the sum was too low, and a little more: what is left has to come down as well.
      allowed *=
        0.95 * room / (after.meanNegativeLogLikelihood - before.meanNegativeLogLikelihood)
      options.force = true
      options.resumes = false
      attempt += 1
    }
  }
}

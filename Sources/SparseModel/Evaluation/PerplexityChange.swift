public import SparseCore

/// What a change of a model has done to its perplexity on one text.
public struct PerplexityChange: Sendable, Equatable {
  /// The text's path.
  public let text: String
  /// The perplexity of the model that was changed.
  public let before: Perplexity
  /// That of what was made from it.
  public let after: Perplexity

  /// Both results, as the `eval` contract has each.
  public var json: JSON { ["before": before.json, "after": after.json] }
}

/// A text to measure a model on before and after it is changed: read, cut and checked when made.
///
/// ```swift
/// let measure = try PerplexityMeasure(text: "wiki.txt", windows: 20, of: checkpoint)
/// let report = try run.run()
/// let change = try measure.change(to: report.output)
/// ```
public struct PerplexityMeasure: Sendable {
  /// The text's path.
  public let text: String
  /// What of it is measured on.
  public let windows: TokenWindows
  private let model: LanguageModel

  /// Checks all that can be checked before the change.
  ///
  /// - Parameters:
  ///   - windows: how many of the text's first windows are taken; nil for all.
  ///   - start: what each window begins with.
  ///   - checkpoint: the model as it is.
  /// - Throws: the errors of opening the model and of ``TokenWindows/init(cutting:length:windows:start:for:)``.
  public init(
    text: String, windows: Int? = nil, start: TextStart = .auto, of checkpoint: Checkpoint
  ) throws {
    self.text = text
    self.windows = try TokenWindows(
      cutting: text, length: nil, windows: windows, start: start, for: checkpoint)
    model = try LanguageModel(checkpoint, positions: self.windows.length)
  }

  /// The perplexity of the model as it was.
  ///
  /// - Throws: the errors of evaluating, and what `progress` throws.
  public func before(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> Perplexity {
    try model.perplexity(of: windows, on: compute, progress: progress)
  }

  /// The perplexity of the model at `path` that was made from it.
  ///
  /// A single file is taken to have the configuration of the file that it was made from.
  ///
  /// - Throws: the errors of opening and evaluating, and what `progress` throws.
  public func after(
    _ path: String, on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> Perplexity {
    let checkpoint = try Checkpoint(path: path)
    let changed = try LanguageModel(
      checkpoint, positions: windows.length,
      configuration: checkpoint.isFolder ? nil : model.configuration)
    return try changed.perplexity(of: windows, on: compute, progress: progress)
  }

  /// Both of them.
  ///
  /// - Throws: the errors of ``before(on:progress:)`` and ``after(_:on:progress:)``.
  public func change(
    to path: String, on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> PerplexityChange {
    PerplexityChange(
      text: text, before: try before(on: compute, progress: progress),
      after: try after(path, on: compute, progress: progress))
  }
}

extension TokenWindows {
  /// The windows of a text for a model, as ``Perplexity`` cuts them.
  ///
  /// - Parameters:
  ///   - path: the text, in UTF-8.
  ///   - length: the tokens of a window; nil for 2048 or the model's context, whichever is less.
  ///   - windows: how many of the first windows are taken; nil for all.
  ///   - start: what each window begins with.
  /// - Throws: ``ModelError`` for a length beyond the context and for a configuration or tokenizer that is missing or
  ///   cannot be used, the errors of reading the text, and
  ///   ``EvaluationError/tooFewTokens(path:found:needed:)``.
  public init(
    cutting path: String, length: Int?, windows: Int?, start: TextStart = .auto,
    for checkpoint: Checkpoint
  ) throws {
    let context = try ModelConfiguration(checkpoint).contextLength
    let length = length ?? min(2048, context)
    guard length <= context else {
      throw ModelError.contextTooLong(asked: length, context: context)
    }
    let (all, found) = try Tokenizer(for: checkpoint).windows(
      of: path, length: length, start: start)
    guard all.count > 0 else {
      throw EvaluationError.tooFewTokens(
        path: path, found: found, needed: length - all.startTokens.count)
    }
    self = all.first(windows ?? all.count)
  }
}

public import SparseCore

/// One 2:4 checkpoint on its way into the form that some other program takes: opened and checked when made, written by ``run(on:progress:)``.
///
/// ```swift
/// guard let target = ExportTarget.named("vllm") else { return }
/// let report = try ExportRun("model-2of4", for: target).run()
/// ```
public struct ExportRun: Sendable {
  /// Who the output is for.
  public let target: ExportTarget
  /// Where the output goes: found free, and fit for the input.
  public var output: CheckpointOutput {
    switch work {
    case .expand(let run): run.output
    case .compress(let run): run.output
    case .pack(let run): run.output
    }
  }
  /// 2:4 weights that stay whole, as the target takes none of their type or shape, and why.
  public var left: [(name: String, reason: MetadataError)] {
    if case .pack(let run) = work { run.left } else { [] }
  }
  private let work: Work

  /// What has to be done to the weights.
  private enum Work {
    case expand(ExpandRun)
    case compress(CompressRun)
    case pack(PackRun)
  }

  /// Opens a checkpoint, whole or compressed, and holds it to its manifest.
  ///
  /// - Parameter path: a `.safetensors` file, an index, or a folder with either.
  /// - Throws: the errors of opening the checkpoint, ``EncodingError`` where no weight is 2:4, one that
  ///   should be is not, or the target takes none of them, and what `progress` throws.
  public init(
    _ path: String, for target: ExportTarget, output: String? = nil, force: Bool = false,
    shardSize: Int? = nil,
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws {
    self.target = target
    let suffix = target.name.map { $0 == "@" ? "-" : String($0) }.joined()
    let options = EncodingOptions(output: output, force: force, shardSize: shardSize)
    let checkpoint = try Checkpoint(path: path)
    // The place first: it costs nothing to look at.
    _ = try CheckpointOutput(
      output, for: checkpoint, suffix: suffix, force: force, shardSize: shardSize)
    let sparse = try checkpoint.weightsFound24(on: compute, progress: progress)
    switch target.form {
    case .whole:
      work = .expand(try ExpandRun(path, options, suffix: suffix, mayBeNone: true))
    case .compressed:
      work = .compress(
        try CompressRun(path, options, suffix: suffix, mayBeNone: true, on: compute))
    case .packed(let form):
      work = .pack(
        try PackRun(checkpoint, sparse, as: form, options, suffix: suffix, target: target.name))
    }
  }

  /// Writes the output and renames it into place.
  ///
  /// Whatever goes wrong, nothing is left under the output's name.
  ///
  /// - Throws: the errors of reading and writing, and what `progress` throws.
  public func run(
    on compute: Compute = .automatic, progress: ProgressHandler = { _ in }
  ) throws -> EncodingReport {
    switch work {
    case .expand(let run): try run.run(on: compute, progress: progress)
    case .compress(let run): try run.run(on: compute, progress: progress)
    case .pack(let run): try run.run(on: compute, progress: progress)
    }
  }
}

extension Checkpoint {
  /// The weights that are meant to be 2:4 and are.
  ///
  /// Without a manifest, linear layers that are not 2:4 are taken for dense ones.
  ///
  /// - Throws: ``EncodingError`` where there is none, or one that a manifest promises is not.
  fileprivate func weightsFound24(
    on compute: Compute, progress: ProgressHandler
  ) throws -> [ModelTensor] {
    let report = try check(on: compute, progress: progress)
    if try manifest() != nil,
      let broken = report.tensors.first(where: { $0.status == .violating }),
      let first = broken.first
    {
      throw EncodingError.weight(name: broken.name, path: path, reason: .notTwoOfFour(first))
    }
    let names = Set(
      report.tensors.filter { $0.status == .sparse }.map { ExactString($0.name) })
    guard !names.isEmpty else {
      throw EncodingError.nothingSparse(path: path, weights: report.tensors.count)
    }
    return try modelTensors().filter {
      names.contains(ExactString($0.name)) && $0.shape.count == 2
    }
  }
}

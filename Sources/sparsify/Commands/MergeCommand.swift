internal import SparseCore
internal import SparseModel

/// `sparsify merge`: parts become the whole.
enum MergeCommand: Command {
  static let parts = Parameter(
    arguments: "part", .path, "The parts, in any order.")

  static let output = Parameter(
    requiredOption: "output", short: "o", "path", .path, "Where the whole goes.")

  static let model = Parameter(
    option: "model", "model", .path, note: "none",
    "The model that pruned parts were made from: what they don't hold is copied from it.")

  static let spec = CommandSpec(
    "merge", "Put the parts together that several runs have made",
    discussion: """
      The result is the same bytes as those of one run without parts, whatever the parts and their order. \
      Parts are statistics of 'sparsify calibrate', or of a pruned model as 'sparsify prune' writes them \
      with --blocks or --tensors; those are put together with the model. Parts that have something in common, that come from other runs, or that leave something out are \
      refused. Memory holds a few megabytes at a time.
      """,
    parameters: [
      parts, model, output, Common.shardSize, Common.threads, PruneCommand.force, Common.json,
      Common.quiet,
    ],
    examples: [
      .init(
        "Add statistics up",
        "sparsify merge part-0.safetensors part-1.safetensors -o statistics.safetensors"),
      .init(
        "Put a pruned model together",
        "sparsify merge part-*.safetensors --model SmolLM2-135M -o SmolLM2-135M-2of4"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let paths = arguments[parts]
    switch try PartKind(ofFileAt: paths[0]) {
    case .statistics:
      for spec in [model.spec, Common.shardSize.spec] where arguments.isGiven(spec.name) {
        throw UsageError.noEffect(spec, reason: "the parts are statistics")
      }
      let merge = try StatisticsMerge(
        paths, output: arguments[output], force: arguments[PruneCommand.force])
      let report = try merge.run(on: context.compute, progress: context.progress)
      try StatisticsSummary(report).print(arguments, context)
    case .pruned:
      guard let checkpoint = arguments[model] else {
        throw UsageError.missingFor(
          model.spec, reason: "parts of a pruned model are put together with the model itself")
      }
      let merge = try PrunedMerge(
        paths, model: checkpoint, output: arguments[output], force: arguments[PruneCommand.force],
        shardSize: arguments[Common.shardSize])
      let report = try merge.run(on: context.compute, progress: context.progress)
      if arguments[Common.json] {
        try context.print(report.json)
      } else {
        try context.print(
          """
          merged       \(report.parts.counting("part")), \(report.weights.counting("weight")) by \(report.method)
          size         \(Format.bytes(report.outputBytes))
          time         \(Format.duration(report.seconds)), \(Format.bytes(report.peakResidentBytes)) of memory at most
          output       \(report.output.printable)

          """)
      }
    }
    return .done
  }
}

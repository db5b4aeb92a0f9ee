internal import SparseModel

/// `sparsify merge`: parts become the whole.
enum MergeCommand: Command {
  static let parts = Parameter(
    arguments: "part", .path, "The parts, in any order.")

  static let output = Parameter(
    requiredOption: "output", short: "o", "path", .path, "Where the whole goes.")

  static let spec = CommandSpec(
    "merge", "Put the parts together that several runs have made",
    discussion: """
      The result is the same bytes as those of one run without parts, whatever the parts and their order. \
      Parts that have something in common, that come from other runs, or that leave something out are \
      refused. Memory holds a few megabytes at a time.
      """,
    parameters: [
      parts, output, Common.threads, PruneCommand.force, Common.json, Common.quiet,
    ],
    examples: [
      .init(
        "Add statistics up",
        "sparsify merge part-0.safetensors part-1.safetensors -o statistics.safetensors")
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let merge = try StatisticsMerge(
      arguments[parts], output: arguments[output], force: arguments[PruneCommand.force])
    let report = try merge.run(on: context.compute, progress: context.progress)
    try StatisticsSummary(report).print(arguments, context)
    return .done
  }
}

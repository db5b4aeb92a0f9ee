internal import SparseCore
internal import SparseModel

/// `sparsify quantize`: dense INT8.
enum QuantizeCommand: Command {
  static let output = Parameter(
    option: "output", short: "o", "path", .path, note: "MODEL-int8 beside the input",
    "Where the quantized model goes: a folder for a folder, a file for a file.")

  static let spec = CommandSpec(
    "quantize", "Put the weights of a model in INT8",
    discussion: """
      Each weight of the linear layers inside the decoder blocks is rounded to the nearest of the 255 steps \
      of its output channel; embeddings, norms and lm_head are left alone, zeros stay zeros. A folder \
      comes out as a complete Hugging Face folder in the int-quantized format of compressed-tensors (W8A8), \
      which transformers and vLLM load. 'sparsify eval' reads it, too.
      """,
    parameters: [
      Common.model, output, Common.shardSize, Common.groupSize, Common.only, Common.skip,
      Common.threads,
      PruneCommand.dryRun, PruneCommand.force, Common.json, Common.quiet,
    ],
    examples: [
      .init("Quantize a model", "sparsify quantize SmolLM2-135M -o SmolLM2-135M-int8"),
      .init(
        "All weights but those that end the MLPs",
        "sparsify quantize SmolLM2-135M --skip '*.down_proj.*'"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let run = try QuantizeRun(
      arguments[Common.model],
      QuantizeOptions(
        groupSize: arguments[Common.groupSize], selection: Common.selection(arguments),
        output: arguments[output], force: arguments[PruneCommand.force],
        shardSize: arguments[Common.shardSize]))
    try context.noteLeftAlone(run.checkpoint)
    if arguments[PruneCommand.dryRun] {
      let plan = QuantizePlan(run)
      if arguments[Common.json] {
        try context.print(plan.json)
      } else {
        try context.print(plan.text)
      }
      return .done
    }
    let report = try run.run(on: context.compute, progress: context.progress)
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(QuantizeSummary(report).text)
    }
    return .done
  }
}

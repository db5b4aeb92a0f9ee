internal import SparseCore
internal import SparseModel

/// `sparsify compress`: a 2:4 model in little more than half its size.
enum CompressCommand: Command {
  static let output = Parameter(
    option: "output", short: "o", "path", .path, note: "MODEL-compressed beside the input",
    "Where the compressed model goes: a folder for a folder, a file for a file.")

  static let spec = CommandSpec(
    "compress", "Store the 2:4 weights of a model as kept values and masks",
    discussion: """
      The weights that the model's manifest lists are compressed; without a manifest, those of the linear \
      layers inside the decoder blocks that are 2:4. Each becomes its kept values, a mask of one bit a \
      weight, and its shape (the layout sparse-24-bitmask): 56.25 % of 16-bit weights, 62.5 % of INT8. \
      A weight that is not 2:4 is refused, never cut. 'sparsify expand' brings back every bit, but that -0.0 becomes 0.0. \
      check, inspect, eval and generate read the result as it is; so did compressed-tensors up to 0.14 and \
      vLLM up to 0.18. For anything newer, use 'sparsify export'.
      """,
    parameters: EncodingParameters.all(output),
    examples: [
      .init("Compress a pruned model", "sparsify compress SmolLM2-135M-2of4 -o SmolLM2-135M-small"),
      .init("A single file", "sparsify compress model-2of4.safetensors"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let run = try CompressRun(
      arguments[Common.model], EncodingParameters.options(arguments, output: output),
      on: context.compute)
    let report = try run.run(on: context.compute, progress: context.progress)
    return try EncodingParameters.print(report, verb: "compressed  ", arguments, context)
  }
}

/// `sparsify expand`: the way back.
enum ExpandCommand: Command {
  static let output = Parameter(
    option: "output", short: "o", "path", .path, note: "MODEL-expanded beside the input",
    "Where the expanded model goes: a folder for a folder, a file for a file.")

  static let spec = CommandSpec(
    "expand", "Store the compressed weights of a model whole again, zeros included",
    discussion: """
      The opposite of 'sparsify compress': every weight is again what it was, bit for bit, but that -0.0 \
      has become 0.0. Masks that do not keep two of every four are refused.
      """,
    parameters: EncodingParameters.all(output),
    examples: [
      .init("Expand a compressed model", "sparsify expand SmolLM2-135M-small -o SmolLM2-135M-2of4")
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let run = try ExpandRun(
      arguments[Common.model], EncodingParameters.options(arguments, output: output))
    let report = try run.run(on: context.compute, progress: context.progress)
    return try EncodingParameters.print(report, verb: "expanded    ", arguments, context)
  }
}

/// What both commands take and print.
private enum EncodingParameters {
  static func all(_ output: Parameter<String?>) -> [any ParameterDeclaration] {
    [
      Common.model, output, Common.shardSize, Common.only, Common.skip, Common.threads,
      PruneCommand.force,
      Common.json, Common.quiet,
    ]
  }

  static func options(_ arguments: Arguments, output: Parameter<String?>) -> EncodingOptions {
    EncodingOptions(
      selection: Common.selection(arguments), output: arguments[output],
      force: arguments[PruneCommand.force], shardSize: arguments[Common.shardSize])
  }

  /// - Parameter verb: what was done, as wide as the other labels.
  static func print(
    _ report: EncodingReport, verb: String, _ arguments: Arguments, _ context: Context
  ) throws -> ExitStatus {
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      let share = 100 * Double(report.outputBytes) / Double(max(1, report.inputBytes))
      try context.print(
        """
        \(verb) \(report.weights.count.counting("weight"))
        size         \(Format.bytes(report.inputBytes)) before, \(Format.bytes(report.outputBytes)) now \
        (\(Format.fixed(share, 1)) %)
        time         \(Format.duration(report.seconds)), \(Format.bytes(report.peakResidentBytes)) of memory at most
        output       \(report.output.printable)

        """)
    }
    return .done
  }
}

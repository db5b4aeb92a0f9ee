internal import SparseCore
internal import SparseModel

/// `sparsify export`: a 2:4 model as other programs take it.
enum ExportCommand: Command {
  static let target = Parameter(
    option: "target", "name", .word(of: ExportTarget.all.map(\.name)),
    "Who is to load the model.")

  static let output = Parameter(
    option: "output", short: "o", "path", .path, note: "MODEL-TARGET beside the input",
    "Where the exported model goes: a folder for a folder, a file for a file.")

  static let spec = CommandSpec(
    "export", "Write a 2:4 model in the form that another program takes",
    discussion: ([
      """
      The model may be whole or compressed; every weight that should be 2:4 is checked first. What the \
      target does with 2:4 is printed before anything is written:
      """
    ]
      + ExportTarget.all.map { "\($0.name): \($0.effect) (\($0.reader))." }).joined(
        separator: "\n"),
    parameters: [
      Common.model, target, output, Common.shardSize, Common.threads, PruneCommand.dryRun,
      PruneCommand.force,
      Common.json, Common.quiet,
    ],
    oneOf: [["target"]],
    examples: [
      .init("For vLLM as it is today", "sparsify export SmolLM2-135M-2of4 --target vllm"),
      .init(
        "What PyTorch would do with it, without writing anything",
        "sparsify export SmolLM2-135M-2of4 --target pytorch --dry-run"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    guard let name = arguments[target], let target = ExportTarget.named(name) else {
      preconditionFailure("the parser let a target through that there is not")
    }
    let isJSON = arguments[Common.json]
    if !isJSON { try context.print(text(target)) }
    let run = try ExportRun(
      arguments[Common.model], for: target, output: arguments[output],
      force: arguments[PruneCommand.force], shardSize: arguments[Common.shardSize],
      on: context.compute, progress: context.progress)
    if !isJSON { try context.print(text(left: run.left)) }
    if arguments[PruneCommand.dryRun] {
      try context.print(
        isJSON
          ? json(target, run, report: nil).text(pretty: true) + "\n"
          : "output       \(run.output.path.printable)\nNothing has been written.\n")
      return .done
    }
    let report = try run.run(on: context.compute, progress: context.progress)
    if isJSON {
      try context.print(json(target, run, report: report))
    } else {
      try context.print(
        """
        size         \(Format.bytes(report.inputBytes)) before, \(Format.bytes(report.outputBytes)) now
        time         \(Format.duration(report.seconds)), \(Format.bytes(report.peakResidentBytes)) of memory at most
        output       \(report.output.printable)

        """)
    }
    return .done
  }

  private static func text(_ target: ExportTarget) -> String {
    """
    target       \(target.name): \(target.reader)
    2:4          \(target.effect)

    """ + target.notes.map { "note         \($0)\n" }.joined()
  }

  private static func text(left: [(name: String, reason: MetadataError)]) -> String {
    guard let first = left.first else { return "" }
    return "stays whole  \(left.count.counting("weight")), "
      + "\(first.name.printable) for example: \(first.reason)\n"
  }

  private static func json(
    _ target: ExportTarget, _ run: ExportRun, report: EncodingReport?
  ) -> JSON {
    let members: [JSON.Member] = [
      .init(key: "target", value: .string(target.name)),
      .init(key: "reader", value: .string(target.reader)),
      .init(key: "effect", value: .string(target.effect)),
      .init(key: "notes", value: .array(target.notes.map(JSON.string))),
      .init(
        key: "left",
        value: .array(
          run.left.map { ["name": .string($0.name), "reason": .string("\($0.reason)")] })),
    ]
    let dryRun: JSON = [
      "schema": 1, "dryRun": true, "output": .string(run.output.path),
    ]
    return .object(((report?.json ?? dryRun).object ?? []) + members)
  }
}

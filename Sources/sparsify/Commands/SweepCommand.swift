internal import SparseCore
internal import SparseModel

/// `sparsify sweep`: accuracy against size, over methods and number formats.
enum SweepCommand: Command {
  static let methods: Parameter<[PruningMethod]> = Parameter(
    option: "methods", "list", .list(),
    default: PruningMethod.allCases.map(\.rawValue).joined(separator: ","),
    "The methods of pruning, with commas between them.")

  static let quantizations: Parameter<[SweepQuantization]> = Parameter(
    option: "quantize", "list", .list(),
    default: SweepQuantization.allCases.map(\.rawValue).joined(separator: ","),
    "What is done to the numbers of the weights: 'none' leaves their type, 'int8' makes them INT8.")

  static let length = Parameter(
    option: "length", "n", .positiveInteger,
    note: "2048, with 'self' 512 for calibration, or the model's context if less",
    "The number of tokens in each window, of the text and of the calibration.")

  static let output = Parameter(
    option: "output", short: "o", "folder", .path, note: "MODEL-sweep beside the input",
    "The folder in which the models are made.")

  static let keep = Parameter(
    flag: "keep",
    "Leave the models there, each under its row's name. Otherwise each is removed once it is measured."
  )

  static let spec = CommandSpec(
    "sweep", "Prune and quantize a model in several ways and compare the results",
    discussion: """
      The rows are the dense model, dense INT8, and each method with each kind of numbers: what 'sparsify prune' \
      and 'sparsify quantize' make with the same options. All methods share one calibration. Each row is compared with the \
      dense model on a text that is not the calibration's, and measured as 'sparsify compress' would store it. \
      Rows with a star are those that no other beats in both size and divergence.
      """,
    parameters: [
      Common.model, HeldOutText.text, HeldOutText.tokens, methods, quantizations, length,
      HeldOutText.windows, Common.startToken, PruneCommand.calibration, PruneCommand.samples,
      Common.seed,
      PruneCommand.effort, EvalCommand.activations, output, keep, PruneCommand.memory,
      Common.report, Common.threads, PruneCommand.dryRun, Common.json, Common.quiet,
    ],
    oneOf: [HeldOutText.sources],
    examples: [
      .init(
        "Every method, with and without INT8", "sparsify sweep SmolLM2-135M --text wiki.test.txt"),
      .init(
        "A quick look at two methods",
        "sparsify sweep SmolLM2-135M --text wiki.test.txt --methods wanda,admm --quantize none --samples 16 "
          + "--length 512 --windows 20"),
      .init(
        "A page to show to others",
        "sparsify sweep SmolLM2-135M --text wiki.test.txt --report sweep.html"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let options = try options(arguments)
    let checkpoint = try Checkpoint(path: arguments[Common.model])
    let text = try HeldOutText.read(
      arguments, for: checkpoint, context: ModelConfiguration(checkpoint).contextLength)
    let run = try SweepRun(arguments[Common.model], options, text: text)
    let weights = try PruneOptions().weights(of: checkpoint)
    try SparseNote.show(.compare, on: checkpoint, weights, in: context)
    if arguments[PruneCommand.dryRun] {
      try dryRun(run, in: context).print(arguments, in: context)
      return .done
    }
    // Opened first, so that a place that cannot be written to costs no run.
    let texts = [arguments[HeldOutText.text], arguments[HeldOutText.tokens]].compactMap(\.self)
    let reportFile = try arguments[Common.report].map {
      try ReportFile($0, reading: run.inputFiles + texts, output: run.folderPath)
    }
    if !arguments[Common.quiet] {
      context.progressLine.note(
        "Note: takes up to \(Format.bytes(run.diskBytes)) of disk at once, in \(run.folderPath.printable)"
      )
    }
    context.noteUnread(in: checkpoint)
    let report = try run.run(on: context.compute, progress: context.progress)
    try reportFile?.write(report, from: context.origin(of: arguments[Common.model]))
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(SweepText(report: report).text)
    }
    return .done
  }

  /// What the run would do and take.
  private static func dryRun(_ run: SweepRun, in context: Context) throws -> DryRun {
    let speed = DryRun.speed(
      reading: run.checkpoint, writingBeside: run.folderPath, in: context)
    let names = run.options.variants.map(\.name)
    return DryRun(
      try run.plan(speed, on: context.compute),
      lines: [
        ("rows", names.joined(separator: ", ")), ("output", run.folderPath.printable),
      ],
      members: [
        ("rows", .array(names.map(JSON.string))), ("output", .string(run.folderPath)),
      ])
  }

  static func advice(on error: any Error) -> String? { EvalCommand.advice(on: error) }

  private static func options(_ arguments: Arguments) throws(UsageError) -> SweepOptions {
    let methods = arguments[methods]
    let reads =
      methods.contains { $0.pruner.needs != .none }
      || arguments.isGiven(PruneCommand.calibration.spec.name)
    for spec in [PruneCommand.samples.spec, Common.seed.spec]
    where !reads && arguments.isGiven(spec.name) {
      throw .noEffect(spec, reason: "no method reads tokens without --calibration")
    }
    if arguments.isGiven(PruneCommand.effort.spec.name), !methods.contains(.admm) {
      throw .noEffect(PruneCommand.effort.spec, reason: "none of the methods searches")
    }
    let calibration = CalibrationOptions(
      source: arguments[PruneCommand.calibration] ?? .selfWritten,
      samples: arguments[PruneCommand.samples], length: arguments[length],
      seed: arguments[Common.seed], start: arguments[Common.startToken])
    return SweepOptions(
      methods: methods, quantizations: arguments[quantizations],
      effort: arguments[PruneCommand.effort] ?? .standard, calibration: reads ? calibration : nil,
      activations: arguments[EvalCommand.activations], memory: arguments[PruneCommand.memory],
      output: arguments[output], keepsModels: arguments[keep])
  }
}

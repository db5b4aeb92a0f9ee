internal import SparseCore
internal import SparseModel

/// `sparsify sensitivity`: which parts of a model suffer most from being pruned.
enum SensitivityCommand: Command {
  static let unit = Parameter(
    option: "by", "unit", ValueType<SensitivityUnit>.choice, default: "linear",
    "What is changed together: every linear layer by itself, those that read the same input, or all of a block."
  )

  static let method = Parameter(
    option: "method", "method", ValueType<PruningMethod>.choice, default: "admm",
    "How to choose the weights that stay.")

  static let fast = Parameter(
    flag: "fast",
    "Follow each change to the end of its block only, and rank by the error there: about as long as pruning takes."
  )

  static let quantizeOnly = Parameter(
    flag: "quantize-only", "Make each part INT8 and prune nothing.")

  static let text = Parameter(
    option: "text", "source", .calibration, note: "self",
    "What the outputs are compared on, best unlike the calibration: a text file, token ids as FILE.safetensors, or "
      + "'self' for text that the model writes itself.")

  static let windows = Parameter(
    option: "windows", "n", .positiveInteger,
    note:
      "\(SensitivityOptions.defaultWindows), \(SensitivityOptions.defaultFastWindows) with --fast",
    "The number of windows of that text.")

  static let textLength = Parameter(
    option: "text-length", "n", .positiveInteger,
    note: "\(SensitivityOptions.defaultLength), or the model's context if less",
    "The number of tokens in each window of that text.")

  static let output = Parameter(
    option: "output", short: "o", "file", .path, note: "none",
    "Write the result to this file as JSON, for 'sparsify prune --sensitivity'. Such a run can be resumed."
  )

  static let top = Parameter(
    option: "top", "n", .positiveInteger, default: "30", "How many parts the table shows.")

  static let resume = Parameter(
    flag: "resume",
    "Go on with a measurement that was cut short, from the last block that it finished; begin anew where there is none."
  )

  static let spec = CommandSpec(
    "sensitivity", "Measure what pruning each layer by itself would cost",
    discussion: """
      Every part is pruned with all others left dense, and the model's outputs are compared with the dense model's on a \
      text: by KL divergence, which ranks the parts, and by perplexity. Activations before the changed part are reused. \
      Nothing is written to the model.
      """,
    parameters: [
      Common.model, unit, fast, method, PruneCommand.effort, PruneCommand.permute,
      PruneCommand.quantize, PruneCommand.order, Common.groupSize, quantizeOnly,
      PruneCommand.smooth, PruneCommand.calibration, PruneCommand.samples, PruneCommand.length,
      Common.startToken, Common.seed, text, windows, textLength, Common.only, Common.skip, output,
      top, Common.report, Common.threads, PruneCommand.dryRun, resume, PruneCommand.force,
      Common.json, Common.quiet,
    ],
    requires: [
      "order": "quantize", "resume": "output", "force": "output",
    ],
    exclusive: [
      ["quantize-only", "method"], ["quantize-only", "effort"], ["quantize-only", "permute"],
      ["quantize-only", "order"], ["quantize-only", "quantize"], ["top", "json"],
    ],
    examples: [
      .init("Rank all layers, with no data given", "sparsify sensitivity SmolLM2-135M"),
      .init(
        "Calibrate and compare on texts of your own, and keep the result for 'prune'",
        "sparsify sensitivity SmolLM2-135M --calibration book.txt --text news.txt -o sensitivity.json"
      ),
      .init(
        "What INT8 costs, block by block",
        "sparsify sensitivity SmolLM2-135M --by block --quantize-only"),
      .init("A ranking in about the time of a run", "sparsify sensitivity SmolLM2-135M --fast"),
      .init(
        "A page to show to others", "sparsify sensitivity SmolLM2-135M --report sensitivity.html"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let run = try SensitivityRun(arguments[Common.model], options(arguments))
    if !arguments[quantizeOnly] {
      try SparseNote.show(.compare, on: run.checkpoint, run.targets, in: context)
    }
    if arguments[PruneCommand.dryRun] {
      try dryRun(run, arguments, in: context).print(arguments, in: context)
      return .done
    }
    // Opened first, so that a place that cannot be written to costs no run.
    let reportFile = try arguments[Common.report].map {
      try ReportFile($0, reading: run.inputFiles, output: arguments[output])
    }
    context.noteUnread(in: run.checkpoint)
    let report = try run.run(on: context.compute, progress: context.progress)
    try reportFile?.write(report, from: context.origin(of: arguments[Common.model]))
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(SensitivityTable(report: report, top: arguments[top]).text)
    }
    return .done
  }

  /// What the run would do and take.
  private static func dryRun(
    _ run: SensitivityRun, _ arguments: Arguments, in context: Context
  ) -> DryRun {
    let output = arguments[output]
    let (windows, length) = run.textSize
    let source = run.options.heldOut.source.name
    let method = run.options.prunes ? run.options.pruning.methodName : "none"
    return DryRun(
      run.plan(
        DryRun.speed(reading: run.checkpoint, writingBeside: output, in: context),
        on: context.compute),
      lines: [
        ("method", run.options.prunes ? method : "INT8 alone"),
        ("measures", "\(run.parts.counting("part")), each by itself"),
        ("text", "\(source.printable), \(windows) × \(length) tokens"),
        ("output", output?.printable ?? "none"),
      ],
      members: [
        ("method", .string(method)), ("parts", .integer(run.parts)), ("text", .string(source)),
        ("windows", .integer(windows)), ("length", .integer(length)),
        ("output", output.map(JSON.string) ?? .null),
      ])
  }

  static func advice(on error: any Error) -> String? { PruneCommand.advice(on: error) }

  private static func options(_ arguments: Arguments) throws -> SensitivityOptions {
    let prunes = !arguments[quantizeOnly]
    var pruning = PruneOptions(
      method: prunes ? arguments[method] : .magnitude,
      effort: arguments[PruneCommand.effort] ?? .standard,
      permutes: arguments[PruneCommand.permute],
      smoothing: arguments[PruneCommand.smooth].map { Float($0) },
      selection: Common.selection(arguments))
    if arguments.isGiven(PruneCommand.quantize.spec.name) || !prunes {
      pruning.quantization = QuantizationOptions(
        order: arguments[PruneCommand.order] ?? .joint, groupSize: arguments[Common.groupSize])
    } else if arguments.isGiven(Common.groupSize.spec.name) {
      throw UsageError.noEffect(Common.groupSize.spec, reason: "weights keep their type")
    }
    let reads =
      pruning.needs != .none || arguments.isGiven(PruneCommand.calibration.spec.name)
    if reads {
      pruning.calibration = CalibrationOptions(
        source: arguments[PruneCommand.calibration] ?? .selfWritten,
        samples: arguments[PruneCommand.samples], length: arguments[PruneCommand.length],
        seed: arguments[Common.seed], start: arguments[Common.startToken])
    }
    for spec in [PruneCommand.samples.spec, PruneCommand.length.spec]
    where !reads && arguments.isGiven(spec.name) {
      throw UsageError.noEffect(spec, reason: "no calibration is read")
    }
    if arguments.isGiven(PruneCommand.effort.spec.name), !pruning.method.searches {
      throw UsageError.noEffect(
        PruneCommand.effort.spec, reason: "--method \(pruning.method.rawValue) does not search")
    }
    return SensitivityOptions(
      pruning: pruning, prunes: prunes, unit: arguments[unit], isFast: arguments[fast],
      heldOut: CalibrationOptions(
        source: arguments[text] ?? .selfWritten, samples: arguments[windows],
        length: arguments[textLength], start: arguments[Common.startToken]),
      output: arguments[output], force: arguments[PruneCommand.force],
      resumes: arguments[resume])
  }
}

internal import SparseCore
internal import SparseModel

/// `sparsify finetune`: train the kept weights.
enum FinetuneCommand: Command {
  static let dense = Parameter(
    option: "dense", "model", .path, note: "none",
    "The dense original, to learn from: needed for 'distill' and 'both'.")

  static let data = Parameter(
    option: "data", "source", .calibration, note: "self",
    "What is trained on: 'self' for text that the dense model writes, a text file, or token ids as FILE.safetensors."
  )

  static let samples = Parameter(
    option: "samples", "n", .positiveInteger,
    note: "\(FinetuneOptions.defaultWrittenWindows) for 'self', else all",
    "The number of windows of that text.")

  static let length = Parameter(
    option: "length", "n", .positiveInteger,
    note: "that of a file of tokens, else 512 or the model's context if less",
    "The number of tokens in each window.")

  static let heldOut = Parameter(
    option: "held-out", "n", .integer(in: 0...Int(Int32.max)), note: "one in 64",
    "Windows of the text that are set aside to measure on; the weights that measure best are kept. With 0 the last ones are."
  )

  static let text = Parameter(
    option: "text", "file", .path, note: "none", "Measure on this text instead.")

  static let windows = Parameter(
    option: "windows", "n", .positiveInteger, note: "all", "Use the first n windows of --text only."
  )

  static let freeze = Parameter(
    repeatedOption: "freeze", "glob", .glob, "Leave tensors whose names match as they are.")

  static let scope = Parameter(
    option: "scope", "scope", ValueType<TrainingScope>.choice, default: "all",
    "Train the whole model from its predictions, or one block at a time from what the dense block gives: cheaper, and in "
      + "little memory.")

  static let output = Parameter(
    option: "output", short: "o", "path", .path, note: "MODEL-trained beside the input",
    "Where the trained model goes: a folder for a folder, a file for a file.")

  static let resume = Parameter(
    flag: "resume",
    "Go on with a training that was cut short, to the same bytes; begin anew where there is none.")

  static let spec = CommandSpec(
    "finetune", "Train the kept weights of a 2:4 model with its masks held",
    discussion: """
      The two zeros of each four neighbours in a 2:4 layer stay exactly 0; all other weights are trained, embeddings and \
      norms among them. The dense model is the teacher, and by default it writes the text, too: no data is needed.
      """,
    parameters: [
      Common.model, dense, output, data, samples, length, Common.startToken, scope,
    ] + TrainingChoice.parameters + [
      heldOut, text, windows, freeze, PruneCommand.memory, Common.seed, Common.shardSize,
      Common.threads, PruneCommand.dryRun, resume,
      PruneCommand.force, Common.json, Common.quiet,
    ],
    requires: ["windows": "text"],
    exclusive: TrainingChoice.exclusive + [["text", "held-out"]],
    examples: [
      .init(
        "Learn from the dense model, with no data given",
        "sparsify finetune SmolLM2-135M-2of4 --dense SmolLM2-135M"),
      .init(
        "The same on a text of your own",
        "sparsify finetune SmolLM2-135M-2of4 --dense SmolLM2-135M --data book.txt"),
      .init(
        "As NVIDIA's ASP does: the text's next tokens, no teacher",
        "sparsify finetune SmolLM2-135M-2of4 --objective cross-entropy --data book.txt"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let run = try FinetuneRun(arguments[Common.model], options(arguments))
    try arguments[text].map(run.output.spare)
    context.noteUnread(in: run.checkpoint)
    if arguments[PruneCommand.dryRun] {
      try dryRun(run, in: context).print(arguments, in: context)
      return .done
    }
    let report = try run.run(on: context.compute, progress: context.progress)
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(FinetuneSummary(report).text)
    }
    return .done
  }

  /// What the run would do and take.
  private static func dryRun(_ run: FinetuneRun, in context: Context) throws -> DryRun {
    let speed = DryRun.speed(
      reading: run.checkpoint, writingBeside: run.output.path, in: context)
    let (windows, length) = run.textSize
    let source = run.options.data.source.name
    let bytes = run.checkpoint.tensors.reduce(0) { $0 + $1.byteCount }
    return DryRun(
      try run.plan(speed, on: context.compute),
      lines: [
        ("trains", run.trainingText),
        ("data", "\(source.printable), \(windows) × \(length) tokens"),
        ("output", "\(run.output.path.printable), \(Format.bytes(bytes))"),
      ],
      members: [
        ("objective", .string(run.objective)), ("output", .string(run.output.path)),
        ("outputBytes", .integer(bytes)), ("data", .string(source)),
        ("windows", .integer(windows)), ("length", .integer(length)),
      ])
  }

  static func advice(on error: any Error) -> String? {
    if (error as? MemoryError)?.purpose == FinetuneOptions.wholeModelPurpose {
      return "a smaller --batch takes less, and --scope blocks far less"
    }
    return Common.lacksTokenizer(error) ? "--data FILE.safetensors takes token ids instead" : nil
  }

  private static func options(_ arguments: Arguments) throws -> FinetuneOptions {
    let seed = arguments[Common.seed]
    let isBlockwise = arguments[scope] == .blocks
    let training = TrainingChoice.options(arguments, seed: seed)
    try refuseIdle(arguments, training)
    if arguments[dense] == nil && (isBlockwise || training.objective.needsTeacher) {
      throw UsageError.missingFor(
        dense.spec,
        reason: isBlockwise
          ? "--scope blocks learns from what the dense model's blocks give"
          : "--objective \(training.objective.rawValue) learns from the dense model")
    }
    var heldOutText: TokenWindows?
    if let path = arguments[text] {
      let checkpoint = try Checkpoint(path: arguments[Common.model])
      let context = try ModelConfiguration(checkpoint).contextLength
      heldOutText = try TokenWindows(
        cutting: path, length: arguments[length] ?? min(512, context),
        windows: arguments[windows], start: arguments[Common.startToken], for: checkpoint)
    }
    return FinetuneOptions(
      dense: arguments[dense], training: training,
      reconstruction: isBlockwise ? TrainingChoice.reconstruction(arguments, seed: seed) : nil,
      data: CalibrationOptions(
        source: arguments[data] ?? .selfWritten, samples: arguments[samples],
        length: arguments[length], seed: seed, start: arguments[Common.startToken]),
      heldOutWindows: arguments[heldOut], heldOut: heldOutText,
      frozen: arguments[freeze].map(\.description), memory: arguments[PruneCommand.memory],
      output: arguments[output],
      force: arguments[PruneCommand.force], shardSize: arguments[Common.shardSize],
      resumes: arguments[resume])
  }

  /// Throws for an option that the others make idle.
  private static func refuseIdle(
    _ arguments: Arguments, _ training: TrainingOptions
  ) throws(UsageError) {
    if arguments[scope] == .blocks {
      let idle =
        TrainingChoice.wholeModel.map(\.spec) + [heldOut.spec, text.spec, windows.spec]
      for spec in idle where arguments.isGiven(spec.name) {
        throw .noEffect(spec, reason: "--scope blocks looks at blocks, not at predictions")
      }
    } else if arguments[heldOut] == 0, training.patience != nil {
      throw .noEffect(
        TrainingChoice.patience.spec, reason: "nothing is measured with --held-out 0")
    } else if arguments.isGiven(PruneCommand.memory.spec.name) {
      throw .noEffect(
        PruneCommand.memory.spec, reason: "--scope all holds the whole model in memory")
    } else if arguments[dense] != nil, !training.objective.needsTeacher,
      arguments[data] ?? .selfWritten != .selfWritten
    {
      throw .noEffect(
        dense.spec, reason: "--objective \(training.objective.rawValue) has no teacher")
    }
  }
}

extension FinetuneRun {
  /// What is brought down, by its name.
  fileprivate var objective: String {
    options.reconstruction == nil ? options.training.objective.rawValue : "block reconstruction"
  }

  /// How many layers are 2:4, and how they are trained.
  fileprivate var trainingText: String {
    "\(sparse.count.counting("layer")) with their masks held, and what is dense, by \(objective)"
  }
}

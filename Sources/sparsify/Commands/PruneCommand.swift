internal import SparseCore
internal import SparseModel

/// `sparsify prune`: the main job.
enum PruneCommand: Command {
  static let method = Parameter(
    option: "method", "method", ValueType<PruneMethodChoice>.choice, default: "admm",
    "How to choose the weights that stay; 'asp' is magnitude, then training.")

  static let effort = Parameter(
    option: "effort", "effort", ValueType<Effort>.choice, note: "standard",
    "How long admm and --refit search.")

  static let permute = Parameter(
    optionalFlag: "permute", note: "--permute where the method looks at inputs",
    "Put channels into an order in which 2:4 keeps more. The model computes the same function.")

  static let quantize = Parameter(
    option: "quantize", "type", .word(of: ["int8"]), note: "weights keep their type",
    "Make the pruned weights INT8 with a scale for each output channel, in the layout of compressed-tensors."
  )

  static let order = Parameter(
    option: "order", "order", ValueType<QuantizationOrder>.choice, note: "joint",
    "Whether weights are pruned and rounded at once, or one comes first.")

  static let smooth = Parameter(
    option: "smooth", "alpha", .share, implied: "0.5", note: "no smoothing",
    "Move outliers of the activations into the weights before pruning (SmoothQuant), folded into the norms."
  )

  static let refit = Parameter(
    flag: "refit",
    "Keep the masks of a model that is 2:4 already, and solve its weights anew against --dense.")

  static let dense = Parameter(
    option: "dense", "model", .path, note: "none",
    "The dense original of the model, for --refit.")

  static let reconstruct = Parameter(
    option: "reconstruct", "epochs", .positiveInteger, implied: "5", note: "no training",
    "Train the kept weights of each block so many times over the calibration, once it is pruned, to give what the dense "
      + "block gives.")

  static let output = Parameter(
    option: "output", short: "o", "path", .path, note: "MODEL-2of4 beside the input",
    "Where the pruned model goes: a folder for a folder, a file for a file.")

  static let calibration = Parameter(
    option: "calibration", "source", .calibration, note: "self; none for magnitude",
    "What the model reads while its activations are measured: 'self' for text that it writes itself, "
      + "a text file, or token ids as FILE.safetensors.")

  static let samples = Parameter(
    option: "samples", "n", .positiveInteger, note: "128, or what the file holds",
    "The number of calibration sequences.")

  static let length = Parameter(
    option: "length", "n", .positiveInteger,
    note: "2048, with 'self' 512, or the model's context if less",
    "The number of tokens in each calibration sequence.")

  static let statistics = Parameter(
    option: "statistics", "file", .path, note: "none",
    "Prune each layer by itself with statistics of the dense model that 'sparsify calibrate' has written, instead of running the model."
  )

  static let blocks = Parameter(
    option: "blocks", "A..<B", .range, note: "all blocks",
    "Prune only the blocks from A to before B, in quotes or as A:B, and write a part for 'sparsify merge'."
  )

  static let tensors = Parameter(
    option: "tensors", "I/N", .part, note: "all weights",
    "Prune one of N parts of about as many bytes, counted from 0, and write it for 'sparsify merge'. "
      + "'auto/N' takes I from the environment of an array job, 'auto' N as well.")

  static let text = Parameter(
    option: "text", "file", .path, note: "none",
    "Measure the perplexity of the model and of what it has become on this text, as 'sparsify eval' does."
  )

  static let windows = Parameter(
    option: "windows", "n", .positiveInteger, note: "all",
    "Use the first n windows of --text only.")

  static let memory = Parameter(
    option: "memory", "size", .size, note: "half of the machine's, or the least that will do",
    "Keep to this much memory, such as 8G or 900M (a unit is 1024 of the one before). What does not fit waits in a "
      + "scratch file beside the output. The result is the same.")

  static let dryRun = Parameter(
    flag: "dry-run",
    "Say what would be done and, by estimate, what it would take, and write nothing.")

  static let force = Parameter(flag: "force", "Replace the output if it exists.")

  static let resume = Parameter(
    flag: "resume",
    "Go on with a run that was cut short, from the last block that it finished; begin anew where there is none."
  )

  static let strict = Parameter(
    flag: "strict",
    "Fail where the method cannot work on a layer. Otherwise wanda stands in, and the report says so."
  )

  static let spec = CommandSpec(
    "prune", "Make the weights of a model 2:4 sparse",
    discussion: """
      Of every four neighbouring weights in a row, two are set to zero. The linear layers inside the \
      decoder blocks are pruned; embeddings, norms and lm_head are left alone. Weights keep their dtype. \
      The input is never changed, and a folder comes out as a complete Hugging Face folder.
      """,
    parameters: [
      Common.model, method, effort, output, calibration, samples, length, Common.startToken,
      Common.seed, permute,
      quantize, order, Common.groupSize, smooth, refit, dense, reconstruct, statistics, blocks,
      tensors,
      Common.shardSize, Common.only, Common.skip, memory, Common.threads, text, windows,
      Common.report, strict, dryRun,
      resume, force, Common.json, Common.quiet,
    ] + PruneTraining.parameters + LayerChoice.parameters,
    requires: [
      "order": "quantize", "group-size": "quantize", "refit": "dense", "dense": "refit",
      "windows": "text",
    ].merging(LayerChoice.requires) { $1 },
    exclusive: LayerChoice.exclusive + PruneTraining.exclusive + [
      ["refit", "method"], ["refit", "permute"], ["refit", "order"], ["refit", "smooth"],
      ["blocks", "tensors", "resume"], ["blocks", "tensors", "shard-size"],
      ["blocks", "tensors", "dry-run"], ["blocks", "tensors", "memory"], ["statistics", "memory"],
      ["statistics", "calibration"], ["statistics", "samples"],
      ["statistics", "length"], ["statistics", "seed"], ["statistics", "resume"],
      ["statistics", "dry-run"], ["statistics", "reconstruct"],
      ["blocks", "tensors", "reconstruct"],
      ["blocks", "tensors", "text"],
    ],
    examples: [
      .init("Prune a model, with no data given", "sparsify prune SmolLM2-135M"),
      .init(
        "Measure activations on a text of your own, in 64 pieces of 512 tokens",
        "sparsify prune SmolLM2-135M --calibration book.txt --samples 64 --length 512"),
      .init(
        "Without calibration, one file to another",
        "sparsify prune model.safetensors --method magnitude -o pruned.safetensors"),
      .init(
        "A page that shows what it has cost, perplexity included",
        "sparsify prune SmolLM2-135M --text wiki.test.txt --report report.html"),
      .init(
        "2:4 and INT8 at once, for kernels that want both",
        "sparsify prune SmolLM2-135M --quantize int8"),
      .init(
        "Repair a model that another tool has pruned, without touching its masks",
        "sparsify prune pruned-by-asp --refit --dense SmolLM2-135M"),
      .init(
        "The second of four parts that need nothing of each other",
        "sparsify prune SmolLM2-135M --statistics grams.safetensors --tensors 1/4 -o part-1.safetensors"
      ),
      .init(
        "Leave those layers dense that hold the most sensitive tenth of the weights",
        "sparsify prune SmolLM2-135M --keep-dense 10% --sensitivity sensitivity.json"),
      .init(
        "Prune as much as a perplexity allows",
        "sparsify prune SmolLM2-135M --target-perplexity 40 --text wiki.valid.txt"),
      .init(
        "The MLP weights only, all but those of the first block",
        "sparsify prune SmolLM2-135M --only '*.mlp.*' --skip 'model.layers.0.*'"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let training = try PruneTraining.options(arguments)
    try PruneTraining.refuseSingleRuns(arguments)
    try PruneTraining.refuseIdle(arguments)
    let selection = try layers(arguments)
    try noteSparse(arguments, in: context)
    if let selection {
      return try run(selection, arguments, in: context)
    }
    let options = try options(arguments, in: context)
    if training != nil || PruneTraining.isRounded(arguments) {
      return try run(
        TrainedPruning(arguments[Common.model], options, training), arguments, in: context)
    }
    let run = try PruneRun(arguments[Common.model], options)
    try context.noteLeftAlone(run.checkpoint)
    context.noteUnread(in: run.checkpoint)
    let measure = try measure(arguments, of: run.checkpoint, sparing: run.output.spare)
    if arguments[dryRun] {
      return try show(PrunePlan(run, on: context.compute), arguments, in: context)
    }
    let reportFile = try reportFile(arguments, reading: run.inputFiles, output: run.output.path)
    if let (pruning, bound) = try LayerChoice.targetedPruning(
      arguments, options, measure, in: context)
    {
      let result = try pruning.run(on: context.compute, progress: context.progress)
      let isReached = result.perplexity.map { $0.after.perplexity <= bound } ?? false
      return try finish(
        result, nil, reportFile, arguments, status: isReached ? .done : .refused, in: context)
    }
    let result = try run.run(on: context.compute, progress: context.progress)
    return try finish(result, measure, reportFile, arguments, in: context)
  }

  /// Says what would be done.
  private static func show(
    _ plan: PrunePlan, _ arguments: Arguments, in context: Context
  ) throws -> ExitStatus {
    if arguments[Common.json] {
      try context.print(plan.json)
    } else {
      try context.print(plan.text)
    }
    return .done
  }

  /// Says first where pruning brings nothing.
  private static func noteSparse(_ arguments: Arguments, in context: Context) throws {
    guard arguments[dense] == nil else { return }
    let options = try options(arguments)
    // What stands against the run is told by the run.
    guard let checkpoint = try? Checkpoint(path: arguments[Common.model]),
      let weights = try? options.weights(of: checkpoint)
    else { return }
    try SparseNote.show(
      .prune(isQuantized: options.quantization != nil), on: checkpoint, weights, in: context)
  }

  /// Prunes and trains.
  private static func run(
    _ pruning: TrainedPruning, _ arguments: Arguments, in context: Context
  ) throws -> ExitStatus {
    context.noteUnread(in: pruning.checkpoint)
    let measure = try measure(arguments, of: pruning.checkpoint, sparing: pruning.output.spare)
    if arguments[dryRun] {
      return try show(PrunePlan(pruning, on: context.compute), arguments, in: context)
    }
    let reportFile = try reportFile(
      arguments, reading: pruning.inputFiles, output: pruning.output.path)
    let result = try pruning.run(on: context.compute, progress: context.progress)
    return try finish(result, measure, reportFile, arguments, in: context)
  }

  /// Prunes without running the model.
  private static func run(
    _ selection: LayerSelection, _ arguments: Arguments, in context: Context
  ) throws -> ExitStatus {
    let run = try LayerwiseRun(
      arguments[Common.model], options(arguments, in: context), statistics: arguments[statistics],
      selection: selection)
    try context.noteLeftAlone(run.checkpoint)
    context.noteUnread(in: run.checkpoint)
    let measure = try measure(arguments, of: run.checkpoint, sparing: run.spare)
    let reportFile = try reportFile(arguments, reading: run.inputFiles, output: run.outputPath)
    let result = try run.run(on: context.compute, progress: context.progress)
    return try finish(result, measure, reportFile, arguments, in: context)
  }

  /// The text to measure on: read before the work, so that one that is of no use costs no run.
  private static func measure(
    _ arguments: Arguments, of checkpoint: Checkpoint, sparing: (String) throws -> Void
  ) throws -> PerplexityMeasure? {
    try arguments[text].map { path in
      try sparing(path)
      return try PerplexityMeasure(
        text: path, windows: arguments[windows], start: arguments[Common.startToken],
        of: checkpoint)
    }
  }

  /// The file of the report: opened before the work, so that a place that cannot be written to costs no run.
  private static func reportFile(
    _ arguments: Arguments, reading inputs: [String], output: String
  ) throws -> ReportFile? {
    try arguments[Common.report].map {
      let inputs = inputs + [arguments[text]].compactMap(\.self)
      return try ReportFile($0, reading: inputs, output: output)
    }
  }

  /// Measures what is to be measured, and shows and keeps the numbers.
  private static func finish(
    _ report: PruneReport, _ measure: PerplexityMeasure?, _ reportFile: ReportFile?,
    _ arguments: Arguments, status: ExitStatus = .done, in context: Context
  ) throws -> ExitStatus {
    var result = report
    if let measure {
      result.perplexity = try measure.change(
        to: result.output, on: context.compute, progress: context.progress)
    }
    try reportFile?.write(result, from: context.origin(of: arguments[Common.model]))
    if arguments[Common.json] {
      try context.print(result.json)
    } else {
      if let training = result.training {
        let rounding = result.beforeRounding
        let heading = rounding.isEmpty ? "" : "Training\(rounding)\n"
        try context.print(heading + FinetuneSummary(training, isPart: true).text + "\n")
      }
      try context.print(PruneSummary(result).text)
    }
    return status
  }

  static func advice(on error: any Error) -> String? {
    if case ModelError.missingConfiguration = error { return "--method magnitude does without" }
    if (error as? MemoryError)?.purpose == FinetuneOptions.wholeModelPurpose {
      return "--reconstruct, which trains a block at a time, takes far less"
    }
    return Common.lacksTokenizer(error)
      ? "--calibration FILE.safetensors takes token ids instead" : nil
  }

  /// What is asked for, with the layers that stay dense.
  private static func options(
    _ arguments: Arguments, in context: Context
  ) throws -> PruneOptions {
    var options = try options(arguments)
    options.keptDense = try LayerChoice.keptDense(arguments, options, in: context)
    return options
  }

  private static func options(_ arguments: Arguments) throws -> PruneOptions {
    let calibration = CalibrationOptions(
      source: arguments[calibration] ?? .selfWritten, samples: arguments[samples],
      length: arguments[length], seed: arguments[Common.seed],
      start: arguments[Common.startToken])
    var options = PruneOptions(
      method: arguments[method].method, effort: arguments[effort] ?? .standard,
      permutes: arguments[permute], smoothing: arguments[smooth].map { Float($0) },
      dense: arguments[dense],
      reconstruction: arguments[reconstruct].map {
        ReconstructionOptions(epochs: $0, seed: arguments[Common.seed])
      },
      selection: Common.selection(arguments), output: arguments[output],
      force: arguments[force], shardSize: arguments[Common.shardSize], resumes: arguments[resume],
      isStrict: arguments[strict], memory: arguments[memory])
    if arguments.isGiven(quantize.spec.name) {
      options.quantization = QuantizationOptions(
        order: arguments[order] ?? .joint, groupSize: arguments[Common.groupSize])
    }
    // After training, weights are rounded by what the model reads, however they were chosen.
    let rounds = PruneTraining.roundsAfterwards(arguments)
    let reads =
      arguments[statistics] == nil
      && (options.runsModel || rounds || arguments.isGiven(Self.calibration.spec.name))
    if reads { options.calibration = calibration }
    try refuseIdle(arguments, options, readsTokens: reads)
    return options
  }

  /// The layers that are pruned each by itself; nil where the model is run.
  private static func layers(_ arguments: Arguments) throws -> LayerSelection? {
    let selection: LayerSelection
    switch arguments[tensors] {
    case .part(let part)?: selection = .part(part)
    case .auto(let count)?: selection = .part(try ArrayJob.part(of: count))
    case .range?, nil: selection = arguments[blocks].map(LayerSelection.blocks) ?? .all
    }
    if selection == .all && arguments[statistics] == nil { return nil }
    let options = try options(arguments)
    let method = "--method \(options.method.rawValue)"
    if arguments[statistics] != nil && options.needs == .none {
      throw UsageError.noEffect(
        statistics.spec, reason: "\(method) does not look at the inputs of the layers")
    }
    if arguments[statistics] == nil {
      if options.needs != .none {
        throw UsageError.missingFor(
          statistics.spec, reason: "without it \(method) works from block to block, not in parts")
      }
      if options.calibration != nil {
        throw UsageError.noEffect(calibration.spec, reason: "no model is run for a part")
      }
    }
    if selection != .all && options.output == nil {
      throw UsageError.missingFor(output.spec, reason: "a part goes to a file of its own")
    }
    return selection
  }

  /// Throws for an option that the others make idle.
  private static func refuseIdle(
    _ arguments: Arguments, _ options: PruneOptions, readsTokens: Bool
  ) throws(UsageError) {
    let method = "--method \(options.method.rawValue)"
    var idle = [samples.spec, length.spec]
    if !PruneTraining.isAsked(arguments) { idle.append(Common.seed.spec) }
    for spec in idle where !readsTokens && arguments.isGiven(spec.name) {
      throw .noEffect(spec, reason: "\(method) reads no tokens without --calibration")
    }
    if arguments.isGiven(effort.spec.name), !options.method.searches, options.dense == nil,
      !PruneTraining.roundsAfterwards(arguments)
    {
      throw .noEffect(effort.spec, reason: "\(method) does not search")
    }
    if arguments[permute] == true, options.needs == .none {
      throw .noEffect(permute.spec, reason: "\(method) does not look at the inputs of the layers")
    }
  }
}

internal import SparseCore
internal import SparseModel

/// `sparsify calibrate`: statistics of the dense model, in parts if need be.
enum CalibrateCommand: Command {
  static let output = Parameter(
    requiredOption: "output", short: "o", "path", .path, "The file that the statistics go to.")

  static let calibration = Parameter(
    option: "calibration", "source", .calibration, note: "self",
    "What the model reads: 'self' for text that it writes itself, a text file, or token ids as FILE.safetensors."
  )

  static let norms = Parameter(
    flag: "norms",
    "Collect only the norms of the inputs, which are all that wanda needs; otherwise their grams, for any method."
  )

  static let part = Parameter(
    option: "part", "I/N", .partOrRange, note: "all samples",
    "Take one of N parts of the samples, counted from 0, or those from A to before B with '0..<16' or 0:16. "
      + "'auto/N' takes I from the environment of an array job, 'auto' N as well.")

  static let blocks = Parameter(
    option: "blocks", "A..<B", .range, note: "all blocks",
    "Look only at the blocks from A to before B; in quotes, or as A:B. Those before A have to be run, too."
  )

  static let spec = CommandSpec(
    "calibrate", "Collect statistics of what the layers of a model read",
    discussion: """
      Runs calibration text through the dense model and writes, for each group of layers that read the \
      same input, the gram (or the norms) and the largest magnitudes of that input. 'sparsify prune \
      --statistics' prunes each layer by itself with them. The samples, and the blocks, can be spread over \
      machines as parts; 'sparsify merge' adds the parts up to the same bytes as one run over all of them. \
      Each part is given the same model and calibration.
      Memory holds the hidden states of the part's samples, and the weights and the gram of one stage. \
      A gram of n inputs takes 2 n² bytes in a complete file and 8 n² in a part of the samples.
      """,
    parameters: [
      Common.model, output, calibration, PruneCommand.samples, PruneCommand.length,
      Common.startToken,
      Common.seed,
      norms, part, blocks, Common.threads, PruneCommand.force, Common.json, Common.quiet,
    ],
    examples: [
      .init(
        "The norms that wanda needs, at once",
        "sparsify calibrate SmolLM2-135M --norms -o norms.safetensors"),
      .init(
        "The third of eight parts of the grams",
        "sparsify calibrate SmolLM2-135M --calibration book.txt --part 2/8 -o part-2.safetensors"),
      .init(
        "The part that the environment of an array job names",
        "sparsify calibrate SmolLM2-135M --part auto/8 -o part-$SLURM_ARRAY_TASK_ID.safetensors"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let calibration = CalibrationOptions(
      source: arguments[calibration] ?? .selfWritten, samples: arguments[PruneCommand.samples],
      length: arguments[PruneCommand.length], seed: arguments[Common.seed],
      start: arguments[Common.startToken])
    let samples: SampleSelection =
      switch arguments[part] {
      case nil: .all
      case .part(let part)?: .part(part)
      case .range(let range)?: .range(range)
      case .auto(let count)?: .part(try ArrayJob.part(of: count))
      }
    let run = try CalibrateRun(
      arguments[Common.model],
      CalibrateOptions(
        calibration: calibration, kind: arguments[norms] ? .norms : .gram, samples: samples,
        blocks: arguments[blocks], output: arguments[output],
        force: arguments[PruneCommand.force]))
    context.noteUnread(in: run.checkpoint)
    let report = try run.run(on: context.compute, progress: context.progress)
    try StatisticsSummary(report).print(arguments, context)
    return .done
  }

  static func advice(on error: any Error) -> String? {
    Common.lacksTokenizer(error)
      ? "--calibration FILE.safetensors takes token ids instead" : nil
  }
}

/// What a file with statistics holds, as people read it.
struct StatisticsSummary {
  private let report: CalibrateReport

  init(_ report: CalibrateReport) { self.report = report }

  /// The totals.
  var text: String {
    let calibration = report.calibration
    let parts = report.parts.map { " from \($0.counting("part"))" } ?? ""
    return """
      statistics   \(report.kind) of \(report.isComplete ? "all" : "a part")\(parts)
      samples      \(report.samples.count) of \(calibration.samples), \(calibration.length) tokens each, \
      of \(calibration.source.printable)
      blocks       \(report.blocks.count) of \(report.modelBlocks)
      size         \(Format.bytes(report.outputBytes))
      time         \(Format.duration(report.seconds)), \(Format.bytes(report.peakResidentBytes)) of memory at most
      output       \(report.output.printable)

      """
  }

  /// Prints it, or the object that `--json` asks for.
  func print(_ arguments: Arguments, _ context: Context) throws {
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(text)
    }
  }
}

internal import SparseCore
internal import SparseModel

/// `sparsify compare`: two models side by side.
enum CompareCommand: Command {
  static let reference = Parameter(
    argument: "reference", .path,
    "The model to compare with: a .safetensors file, a model.safetensors.index.json, or a folder with either."
  )

  static let model = Parameter(argument: "model", .path, "The model that is compared with it.")

  static let spec = CommandSpec(
    "compare", "Compare two models: accuracy, size, and speed on this machine",
    discussion: """
      Both models predict the same text, as 'sparsify eval' has one do. The divergence says how far the second \
      model's predictions are from the first one's, in nats a token: it shows far smaller changes than the \
      perplexity. Speeds are of this machine: of the pass that was run, and of writing a single sequence. The models take turns, \
      and no difference is claimed unless every round of one is faster than every round of the other.
      """,
    parameters: [
      reference, model, HeldOutText.text, HeldOutText.tokens, HeldOutText.length,
      HeldOutText.windows, Common.startToken, EvalCommand.activations, Common.threads, Common.json,
      Common.quiet,
    ],
    oneOf: [HeldOutText.sources],
    examples: [
      .init(
        "What pruning has cost",
        "sparsify compare SmolLM2-135M SmolLM2-135M-2of4 --text wiki.test.txt"),
      .init(
        "A quick look: the first 20 windows of 512 tokens",
        "sparsify compare SmolLM2-135M SmolLM2-135M-2of4 --text wiki.test.txt --length 512 --windows 20"
      ),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let reference = try Checkpoint(path: arguments[reference])
    let other = try Checkpoint(path: arguments[model])
    try reference.requireSameLanguage(
      as: other, readsText: arguments.isGiven(HeldOutText.text.spec.name))
    let windows = try HeldOutText.read(
      arguments, for: reference,
      context: min(
        ModelConfiguration(reference).contextLength, ModelConfiguration(other).contextLength))
    let models = try [reference, other].map { try LanguageModel($0, positions: windows.length) }
    for model in models { context.noteUnread(in: model) }
    if arguments[EvalCommand.activations] == .float32 {
      Common.noteActivations(of: models, in: context)
    }
    let report = try ComparisonReport(
      comparing: models[0], with: models[1], over: windows,
      activations: arguments[EvalCommand.activations], on: context.compute,
      progress: context.progress)
    if arguments[Common.json] {
      try context.print(report.json)
    } else {
      try context.print(ComparisonText(report: report).text)
    }
    return .done
  }

  static func advice(on error: any Error) -> String? {
    if case ComparisonError.tokenizers = error { return tokensAdvice }
    return Common.lacksTokenizer(error) ? tokensAdvice : nil
  }

  private static let tokensAdvice = "--tokens FILE.safetensors takes token ids instead"
}

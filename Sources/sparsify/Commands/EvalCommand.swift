internal import SparseCore
internal import SparseModel

/// `sparsify eval`: what pruning has cost.
enum EvalCommand: Command {
  static let activations = Parameter(
    option: "activations", "type", ValueType<ActivationType>.choice, default: "float32",
    "The numbers in which activations reach INT8 weights: 'int8' rounds them token by token and "
      + "multiplies integers, as W8A8 inference does.")

  static let spec = CommandSpec(
    "eval", "Measure the perplexity of a model",
    discussion: """
      The text is cut into windows of the given length that don't overlap, and a rest too short for a \
      window is dropped. A start token that the tokenizer puts before a text begins each window. Each token after a window's first is predicted from those before it in the \
      window. The perplexity is the exponential of the mean negative log-likelihood.
      """,
    parameters: [
      Common.model, HeldOutText.text, HeldOutText.tokens, HeldOutText.length, HeldOutText.windows,
      Common.startToken, activations, Common.threads, Common.json, Common.quiet,
    ],
    oneOf: [HeldOutText.sources],
    examples: [
      .init("Evaluate on a text", "sparsify eval SmolLM2-135M-2of4 --text wiki.test.txt"),
      .init(
        "A quick look: the first 20 windows of 512 tokens",
        "sparsify eval SmolLM2-135M --text wiki.test.txt --length 512 --windows 20"),
      .init(
        "What an INT8 model loses, activations included",
        "sparsify eval SmolLM2-135M-int8 --text wiki.test.txt --activations int8"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    let checkpoint = try Checkpoint(path: arguments[Common.model])
    let configuration = try ModelConfiguration(checkpoint)
    let windows = try HeldOutText.read(
      arguments, for: checkpoint, context: configuration.contextLength)
    let model = try LanguageModel(checkpoint, positions: windows.length)
    context.noteUnread(in: model)
    if arguments[activations] == .float32 { Common.noteActivations(of: [model], in: context) }
    let result = try model.perplexity(
      of: windows, activations: arguments[activations], on: context.compute,
      progress: context.progress)
    if arguments[Common.json] {
      try context.print(result.json)
    } else {
      try context.print(text(result))
    }
    return .done
  }

  static func advice(on error: any Error) -> String? {
    Common.lacksTokenizer(error) ? "--tokens FILE.safetensors takes token ids instead" : nil
  }

  private static func text(_ result: Perplexity) -> String {
    var table = Table([("", .left), ("", .left)])
    table.append(["perplexity", Format.fixed(result.perplexity, 3)])
    table.append(["nll", Format.fixed(result.meanNegativeLogLikelihood, 5) + " nats a token"])
    table.append([
      "windows", "\(result.windows) of \(result.length) tokens, \(result.tokens) in all",
    ])
    if result.activations == .int8 {
      table.append(["activations", "int8, every token on a scale of its own"])
    }
    table.append(["protocol", result.protocolText])
    return table.text
  }
}

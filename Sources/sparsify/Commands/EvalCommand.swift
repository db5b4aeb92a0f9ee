/// `sparsify eval`: what pruning has cost.
enum EvalCommand: Command {
  static let text = Parameter(
    option: "text", "file", .path, "The text to predict, in UTF-8.")

  static let tokens = Parameter(
    option: "tokens", "file", .path, "The token ids to predict, in a .safetensors file.")

  static let length = Parameter(
    option: "length", "n", .positiveInteger, note: "2048 or the model's context, whichever is less",
    "The number of tokens in each window.")

  static let windows = Parameter(
    option: "windows", "n", .positiveInteger, note: "all",
    "Use the first n windows only.")

  static let spec = CommandSpec(
    "eval", "Measure the perplexity of a model",
    discussion: """
      The text is cut into windows of the given length that don't overlap, and a rest too short for a \
      window is dropped. Each token after a window's first is predicted from those before it in the \
      window. The perplexity is the exponential of the mean negative log-likelihood.
      """,
    parameters: [
      Common.model, text, tokens, length, windows, Common.threads, Common.json, Common.quiet,
    ],
    oneOf: [["text", "tokens"]],
    examples: [
      .init("Evaluate on a text", "sparsify eval SmolLM2-135M-2of4 --text wiki.test.txt"),
      .init(
        "A quick look: the first 20 windows of 512 tokens",
        "sparsify eval SmolLM2-135M --text wiki.test.txt --length 512 --windows 20"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    throw NotInThisBuild(command: spec.name)
  }
}

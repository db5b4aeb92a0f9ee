/// `sparsify generate`: see that a model still speaks.
enum GenerateCommand: Command {
  static let prompt = Parameter(
    requiredOption: "prompt", short: "p", "text", .text, "What the model goes on from.")

  static let tokens = Parameter(
    option: "tokens", "n", .positiveInteger, default: "128",
    "The number of tokens to write at most.")

  static let temperature = Parameter(
    option: "temperature", "t", .nonNegative, default: "0",
    "How daring the choice of each token is: 0 takes the likeliest, 1 draws from the model's own "
      + "distribution.")

  static let spec = CommandSpec(
    "generate", "Let a model go on from a prompt",
    parameters: [
      Common.model, prompt, tokens, temperature, Common.seed, Common.threads, Common.json,
      Common.quiet,
    ],
    examples: [
      .init(
        "Go on with the likeliest words",
        "sparsify generate SmolLM2-135M-2of4 --prompt 'The capital of France is'"),
      .init(
        "Draw 50 tokens, other ones for each seed",
        "sparsify generate SmolLM2-135M -p 'Once upon a time' --tokens 50 --temperature 1 --seed 7"),
    ])

  static func run(_ arguments: Arguments, in context: Context) throws -> ExitStatus {
    throw NotInThisBuild(command: spec.name)
  }
}

internal import SparseCore
internal import SparseModel

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
    let checkpoint = try Checkpoint(path: arguments[Common.model])
    let tokenizer = try Tokenizer(for: checkpoint)
    let configuration = try ModelConfiguration(checkpoint)
    var ids = tokenizer.encode(arguments[prompt])
    if ids.isEmpty, let start = try configuration.startToken(of: checkpoint) { ids = [start] }
    guard !ids.isEmpty else {
      throw UsageError.badValue(
        prompt.spec, value: arguments[prompt], reason: "must hold at least one token")
    }
    let room = configuration.contextLength - ids.count
    let count = min(arguments[tokens], max(0, room))
    let model = try Decoder(checkpoint, positions: ids.count + count)
    if count < arguments[tokens] {
      context.progressLine.note(
        "Note: the model's context of \(configuration.contextLength) has room for"
          + " \(count.counting("token")) after the prompt, not \(arguments[tokens])")
    }
    let sampling = Sampling(temperature: arguments[temperature], seed: arguments[Common.seed])
    let showsText = !arguments[Common.json]
    if showsText { try context.print(arguments[prompt]) }
    // A decoder may treat the start of a text differently, so what is new is told from the whole.
    var shown = tokenizer.decode(ids).count
    var written = ids
    let added = try model.generate(
      after: ids, count: count, sampling: sampling, on: context.compute
    ) { token in
      try Interrupt.check()
      written.append(token)
      let text = tokenizer.decode(written)
      if showsText { try context.print(bytes: Array(text.dropFirst(shown))) }
      shown = text.count
    }
    if showsText {
      try context.print("\n")
    } else {
      let text = String(
        decoding: tokenizer.decode(written).dropFirst(tokenizer.decode(ids).count), as: UTF8.self)
      try context.print(
        [
          "schema": 1, "prompt": .string(arguments[prompt]), "text": .string(text),
          "tokens": .array(added.map { .integer(Int($0)) }),
        ] as JSON)
    }
    return .done
  }
}

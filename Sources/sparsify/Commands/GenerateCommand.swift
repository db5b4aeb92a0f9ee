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

  static let activations = Parameter(
    option: "activations", "type", ValueType<ActivationType>.choice,
    note: "int8 for models with INT8 weights, else float32",
    "The numbers in which activations reach INT8 weights: 'int8' rounds them token by token and "
      + "multiplies integers, as W8A8 inference does.")

  static let spec = CommandSpec(
    "generate", "Let a model go on from a prompt",
    discussion: """
      Weights are multiplied as they are stored, compressed ones too. The rate at the end is that of the \
      tokens after the first.
      """,
    parameters: [
      Common.model, prompt, Common.startToken, tokens, temperature, Common.seed, activations,
      Common.threads,
      Common.json,
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
    var ids =
      tokenizer.startTokens(arguments[Common.startToken]) + tokenizer.encode(arguments[prompt])
    if ids.isEmpty, let start = try configuration.startToken(of: checkpoint) { ids = [start] }
    guard !ids.isEmpty else {
      throw UsageError.badValue(
        prompt.spec, value: arguments[prompt], reason: "must hold at least one token")
    }
    let room = configuration.contextLength - ids.count
    let count = min(arguments[tokens], max(0, room))
    let model = try LanguageModel(checkpoint, positions: ids.count + count)
    context.noteUnread(in: model)
    if count < arguments[tokens] {
      context.progressLine.note(
        "Note: the model's context of \(configuration.contextLength) has room for"
          + " \(count.counting("token")) after the prompt, not \(arguments[tokens])")
    }
    if arguments[activations] == nil { Common.noteActivations(of: [model], in: context) }
    let sampling = Sampling(temperature: arguments[temperature], seed: arguments[Common.seed])
    let showsText = !arguments[Common.json]
    if showsText { try context.print(arguments[prompt]) }
    // A decoder may treat the start of a text differently, so what is new is told from the whole.
    var shown = tokenizer.decode(ids).count
    var written = ids
    let clock = ContinuousClock()
    var first: ContinuousClock.Instant?
    let added = try model.generate(
      after: ids, count: count, sampling: sampling,
      activations: arguments[activations] ?? model.usualActivations,
      on: context.compute
    ) { token in
      first = first ?? clock.now
      try Interrupt.check()
      written.append(token)
      let text = tokenizer.decode(written)
      if showsText { try context.print(bytes: Array(text.dropFirst(shown))) }
      shown = text.count
    }
    let seconds = first.map { (clock.now - $0).seconds } ?? 0
    let rate = added.count > 1 && seconds > 0 ? Double(added.count - 1) / seconds : nil
    if showsText {
      try context.print("\n")
      if let rate, !arguments[Common.quiet] {
        context.progressLine.note(
          "\(added.count) tokens, \(Format.fixed(rate, 1)) a second")
      }
    } else {
      let text = String(
        decoding: tokenizer.decode(written).dropFirst(tokenizer.decode(ids).count), as: UTF8.self)
      try context.print(
        [
          "schema": 1, "prompt": .string(arguments[prompt]), "text": .string(text),
          "tokens": .array(added.map { .integer(Int($0)) }),
          "tokensPerSecond": rate.map(JSON.number) ?? .null,
        ] as JSON)
    }
    return .done
  }
}

internal import SparseCore
internal import SparseModel

/// Parameters that several commands share.
enum Common {
  static let model = Parameter(
    argument: "model", .path,
    "A .safetensors file, a model.safetensors.index.json, or a folder with either.")

  static let models = Parameter(arguments: "model", .path, model.spec.help)

  static let only = Parameter(
    repeatedOption: "only", "glob", .glob,
    "Take only the weights whose names match; '*' stands for any text, '?' for one character.")

  static let skip = Parameter(
    repeatedOption: "skip", "glob", .glob, "Leave out the weights whose names match.")

  /// The weights that `--only` and `--skip` leave.
  static func selection(_ arguments: Arguments) -> WeightSelection {
    WeightSelection(
      only: arguments[only].map(\.description), skip: arguments[skip].map(\.description))
  }

  static let groupSize = Parameter(
    option: "group-size", "n", .positiveInteger, note: "one scale per output channel",
    "Give every n neighbouring weights of a row an INT8 scale of their own. transformers loads that, "
      + "vLLM's W8A8 does not.")

  static let startToken = Parameter(
    option: "start-token", "rule", ValueType<TextStart>.choice, default: "auto",
    "Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there: 'none' for without."
  )

  static let shardSize = Parameter(
    option: "shard-size", "size", .size, note: "the files of the input",
    "Cut the weights of a folder into files of at most this size, such as 2G, with an index.")

  /// Whether an error is the lack of a tokenizer that can be used, so that token ids are a way out.
  static func lacksTokenizer(_ error: any Error) -> Bool {
    switch error {
    case ModelError.missingTokenizer, ModelError.tokenizer(_, .unsupported),
      ModelError.tokenizer(_, .unknownPattern):
      true
    default: false
    }
  }

  /// Says of each model whose config.json asks for activations that are not computed that they stay in float32.
  static func noteActivations(of models: [LanguageModel], in context: Context) {
    for model in models {
      guard let setting = model.otherActivations else { continue }
      let note = "Note: \(model.checkpoint.path): config.json says \(setting), which is left out: "
      context.progressLine.note((note + "activations stay in float32").errorLine)
    }
  }

  static let threads = Parameter(
    option: "threads", "n", .integer(in: 1...1024), note: "one per processor",
    "The number of threads. Results don't depend on it.")

  static let report = Parameter(
    option: "report", "file", .report,
    "Write the numbers to this file, too: as a page to look at where its name ends in .html or .htm, as JSON where it "
      + "ends in .json."
  )

  static let json = Parameter(flag: "json", "Print one JSON object instead of text.")

  static let quiet = Parameter(flag: "quiet", short: "q", "Show no progress.")

  static let seed = Parameter(
    option: "seed", "n", .seed, default: "0", "Where the random numbers start.")
}

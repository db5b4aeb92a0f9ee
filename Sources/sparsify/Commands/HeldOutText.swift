internal import SparseCore
internal import SparseModel

/// The text that a model is judged by: what eval, compare and sweep are given, and how it is cut.
enum HeldOutText {
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

  /// The options of which one must be given.
  static let sources = [text.spec.name, tokens.spec.name]

  /// The windows that are asked for, of the text as the checkpoint's tokenizer reads it.
  ///
  /// - Parameter context: the longest window that the models take.
  static func read(
    _ arguments: Arguments, for checkpoint: Checkpoint, context: Int
  ) throws -> TokenWindows {
    let asked = arguments[length]
    if let asked, asked > context {
      throw ModelError.contextTooLong(asked: asked, context: context)
    }
    if let path = arguments[text] {
      return try TokenWindows(
        cutting: path, length: asked ?? min(2048, context), windows: arguments[windows],
        start: arguments[Common.startToken], for: checkpoint)
    }
    guard let path = arguments[tokens] else { preconditionFailure("neither text nor tokens") }
    let file = try TokenWindows(contentsOf: path)
    let all = try file.shortened(to: asked ?? min(file.length, context), source: path)
    return all.first(arguments[windows] ?? all.count)
  }
}
